"""Writes batches, each in one statement, and counts."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import chain, islice
from typing import Any, Literal

from trueup import observe
from trueup.db.connection import Connection
from trueup.errors import Conflict
from trueup.tables import bulk_statements
from trueup.tables.batches import Batch
from trueup.tables.connections import Connections
from trueup.tables.contract import Table
from trueup.tables.execution import IDLE, fetch, flag_for
from trueup.tables.payloads import Payload
from trueup.tables.pipeline import Call, pipelined
from trueup.tables.statements import Flag, Names, Statement, changed_by
from trueup.tables.upserting import ROUNDS

Mode = Literal["replace", "sync"]
Part = tuple[Batch, Payload]
"""A batch, and the same as the parameters of its statement."""
DEADLOCK = "40P01"


class Incomplete(Exception):
    """Says that a part has to be written in more than one step."""


class Writer:
    """Writes batches and counts."""

    def __init__(self, db: Connections, table: Table[Any], mode: Mode) -> None:
        self.db = db
        self.table = table
        self.mode = mode
        self.rows = 0
        self.inserted = 0
        self.updated = 0

    def write_all(self, parts: Callable[[], Iterator[Part]]) -> None:
        """Write everything or nothing, each part while the next is made; a single statement needs no transaction."""
        given = parts()
        begin = list(islice(given, 2))
        if len(begin) < 2:
            with nullcontext() if all(map(self.takes_one_statement, begin)) else self.db.transaction():
                for batch, payload in begin:
                    self.write(batch, payload)
            return
        try:
            self.write_ahead(chain(begin, given))
        except Incomplete:
            self.write_in_steps(parts)

    def is_complete(self, part: Part) -> bool:
        """Return whether new rows need no other column."""
        return self.table.required.issubset(part[0].names)

    def takes_one_statement(self, part: Part) -> bool:
        """Return whether a part is written by one statement, whatever others write meanwhile."""
        with self.db.connection() as connection:
            return self.is_complete(part) and flag_for(connection, self.table) is not None

    def write_in_steps(self, parts: Callable[[], Iterator[Part]]) -> None:
        """Write part by part, looking at each answer before the next.

        All rows that exist are locked before any is inserted. Else two writers could wait for each other: one has
        inserted a row of its first part, which the other inserts in its last, and wants one that the other has changed.
        Two still can where a third has inserted rows since they looked; who loses then begins again.
        """
        for attempt in range(1, ROUNDS + 1):
            try:
                with observe.retrying(is_last=attempt == ROUNDS), self.db.transaction():
                    for batch, payload in parts():
                        self.hold(batch, payload)
                    for batch, payload in parts():
                        self.write(batch, payload)
            except Conflict as error:
                if attempt == ROUNDS or error.sqlstate != DEADLOCK:
                    raise
                self.rows = self.inserted = self.updated = 0
            else:
                return

    def hold(self, batch: Batch, payload: Payload) -> None:
        """Lock those rows of a batch that exist and may be changed."""
        if changed_by(self.table, batch.names):
            with self.db.connection() as connection:
                statement = bulk_statements.hold(self.table, batch.names, payload.coded)
                fetch(connection, statement, payload.arrays, tuple)

    def write_ahead(self, parts: Iterator[Part]) -> None:
        """Write every part without waiting for the answer to the one before.

        Raises:
            Incomplete: a part needs more than one step; nothing was written.
        """
        with self.db.connection() as connection:
            flag = flag_for(connection, self.table)
            if flag is None:
                raise Incomplete
            sizes: list[int] = []
            is_own = connection.pgconn.transaction_status == IDLE
            with nullcontext() if is_own else self.db.transaction():
                counts = pipelined(connection, self.calls(parts, flag, sizes))
        self.rows += sum(sizes)
        self.inserted += sum(inserted for inserted, _, _ in counts)
        self.updated += sum(updated for _, updated, _ in counts)

    def calls(self, parts: Iterator[Part], flag: Flag, sizes: list[int]) -> Iterator[Call]:
        """Give the statement of each part, and note its rows in `sizes`.

        Raises:
            Incomplete: a part needs more than one step.
        """
        for part in parts:
            if not self.is_complete(part):
                raise Incomplete
            batch, payload = part
            sizes.append(len(batch))
            yield self.statement(batch.names, payload.coded, flag), payload.arrays

    def write(self, batch: Batch, payload: Payload) -> None:
        """Write one batch as a whole, and count it."""
        with self.db.connection() as connection:
            statement = self.statement_on(connection, batch.names, payload.coded)
            inserted = updated = 0
            for _ in range(ROUNDS):
                ((new, changed, missing),) = fetch(connection, statement, payload.arrays, tuple)
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

    def statement_on(self, connection: Connection, names: Names, coded: Names) -> Statement:
        """Return the way to write rows that set these columns, on this server."""
        flag = flag_for(connection, self.table) if changed_by(self.table, names) else "old"
        return self.statement(names, coded, flag)

    def statement(self, names: Names, coded: Names, flag: Flag | None) -> Statement:
        """Return the way to write rows that set these columns, where `flag` tells an insert from an update."""
        if flag is None or not self.table.required.issubset(names):
            return bulk_statements.in_steps(self.table, names, coded)
        build = bulk_statements.sync if self.mode == "sync" else bulk_statements.replace
        return build(self.table, names, coded, flag)
