"""Writes batches, each in one statement, and counts."""

from collections.abc import Iterator
from contextlib import nullcontext
from itertools import chain, islice
from typing import Any, Literal

from trueup.db.connection import Connection
from trueup.errors import Conflict
from trueup.tables import bulk_statements
from trueup.tables.batches import Batch
from trueup.tables.connections import Connections
from trueup.tables.contract import Table
from trueup.tables.execution import fetch, flag_for
from trueup.tables.statements import Flag, Statement, changed_by
from trueup.tables.upserting import ROUNDS

Mode = Literal["replace", "sync"]


class Writer:
    """Writes batches and counts."""

    def __init__(self, db: Connections, table: Table[Any], mode: Mode) -> None:
        self.db = db
        self.table = table
        self.mode = mode
        self.rows = 0
        self.inserted = 0
        self.updated = 0

    def write_all(self, parts: Iterator[tuple[Batch, bytes]]) -> None:
        """Write everything in one transaction; a single statement needs none of its own."""
        begin = list(islice(parts, 2))
        is_single = len(begin) < 2 and all(self.table.required.issubset(batch.names) for batch, _ in begin)
        with nullcontext() if is_single else self.db.transaction():
            for batch, payload in chain(begin, parts):
                self.write(batch, payload)

    def write(self, batch: Batch, payload: bytes) -> None:
        """Write one batch as a whole, and count it."""
        with self.db.connection() as connection:
            statement = self.statement(connection, batch.names)
            inserted = updated = 0
            for _ in range(ROUNDS):
                ((new, changed, missing),) = fetch(connection, statement, [payload], tuple)
                inserted, updated = inserted + new, updated + changed
                if new == missing:
                    break
            else:
                raise Conflict(
                    f"{self.table.name}: rows were neither written nor found, {ROUNDS} times: others write them as"
                    " fast, or a trigger or a policy hides them"
                )
        self.rows += len(batch)
        self.inserted += inserted
        self.updated += updated

    def statement(self, connection: Connection, names: tuple[str, ...]) -> Statement:
        """Return the way to write rows that set these columns."""
        table = self.table
        flag: Flag | None = "old"
        if changed_by(table, names):
            flag = flag_for(connection, table) if table.required.issubset(names) else None
        if flag is None or not table.required.issubset(names):
            return bulk_statements.in_steps(table, names)
        build = bulk_statements.sync if self.mode == "sync" else bulk_statements.replace
        return build(table, names, flag)
