"""Writes any number of rows: all of them or none, or all but those that the server refuses."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import chain, islice
from operator import attrgetter
from typing import Any, Literal, TypeVar, get_args

from trueup.db.connection import Connection
from trueup.errors import Conflict, DatabaseError, PermissionMissing
from trueup.tables import bulk_statements
from trueup.tables.batches import (
    Batch,
    OnDuplicate,
    Rejected,
    check,
    chunks,
    deduplicate,
    encode_batch,
    group,
    refuse,
    sort,
)
from trueup.tables.connections import Connections
from trueup.tables.contract import Table
from trueup.tables.errors import StatementRefused
from trueup.tables.execution import IDLE, execute, fetch, flag_for
from trueup.tables.statements import Flag, Statement, changed_by
from trueup.tables.tenants import Row
from trueup.tables.upserting import ROUNDS, check_conflict_key

R = TypeVar("R")
Mode = Literal["replace", "sync"]

ROW_FAULTS = frozenset({"21", "22", "23", "44", "P0"})
"""Classes of SQLSTATE that blame a row: cardinality, data, constraints, the check of a view, a trigger's exception."""
WAYS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Is what became of the rows of one call."""

    inserted: int
    updated: int
    unchanged: int
    """Stored already as they were given."""
    superseded: int = 0
    """Left out for another row of the call with the same key."""
    rejected: tuple[Rejected, ...] = ()
    """Not written, in the order of the call."""


def bulk_upsert(
    db: Connections,
    table: Table[R],
    tenant: Row,
    rows: Iterable[R | Row],
    *,
    on_duplicate: OnDuplicate,
    partial: bool,
    mode: Mode,
) -> Written:
    """Insert or update rows, each recognised by its conflict key; see `Repository.bulk_upsert`."""
    check_conflict_key(table)
    check_options(table, rows, on_duplicate, mode)
    given = list(rows)
    rejected: list[Rejected] = []
    batches = []
    for batch in group(table, given, tenant) if given else []:
        if (bad := check(table, batch)) and not partial:
            refuse(table, batch, bad)
        rejected += bad
        positions = {each.position for each in bad}
        batches.append(batch.without(i for i, position in enumerate(batch.positions) if position in positions))
    batches, superseded = deduplicate(table, [batch for batch in batches if len(batch)], on_duplicate)
    writer = Writer(db, table, mode)
    parts = chain.from_iterable(chunks(table, sort(table, batch)) for batch in batches)
    if partial:
        rejected += writer.write_what_can_be(parts)
    else:
        writer.write_all(parts)
    return Written(
        inserted=writer.inserted,
        updated=writer.updated,
        unchanged=writer.rows - writer.inserted - writer.updated,
        superseded=superseded,
        rejected=tuple(sorted(rejected, key=attrgetter("position"))),
    )


def check_options(table: Table[Any], rows: object, on_duplicate: str, mode: str) -> None:
    """Raise StatementRefused for an option that is none."""
    if on_duplicate not in get_args(OnDuplicate) or mode not in get_args(Mode):
        raise StatementRefused(
            f"{table.name}: on_duplicate is one of {get_args(OnDuplicate)}, mode one of {get_args(Mode)}"
        )
    if isinstance(rows, Mapping | str | bytes) or not isinstance(rows, Iterable):
        raise StatementRefused(f"{table.name}: bulk_upsert takes a collection of rows, not {type(rows).__name__}")


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
                raise Conflict(f"{self.table.name}: others wrote the same rows {ROUNDS} times; run it again")
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

    # -- all but the bad ones --------------------------------------------------------------------------------------

    def write_what_can_be(self, parts: Iterator[tuple[Batch, bytes]]) -> list[Rejected]:
        """Write every row that the server takes, in one transaction, and return the others."""
        with self.db.connection() as connection:
            is_own = connection.pgconn.transaction_status == IDLE
        rejected = []
        with self.db.transaction():
            if is_own:
                with self.db.connection() as connection:
                    execute(connection, IMMEDIATE, ())
            for batch, payload in parts:
                if self.try_to_write(batch, payload) is not None:
                    rejected += self.isolate(batch, payload)
        return rejected

    def try_to_write(self, batch: Batch, payload: bytes) -> DatabaseError | None:
        """Write a batch, or return why one of its rows prevents that."""
        try:
            with self.db.transaction():
                self.write(batch, payload)
        except DatabaseError as error:
            if (error.sqlstate or "")[:2] not in ROW_FAULTS:
                raise
            return error
        return None

    def isolate(self, batch: Batch, payload: bytes) -> list[Rejected]:
        """Write a batch without the rows that the server refuses, and return those.

        Rows that are refused by themselves are found on the server in one round trip. What is left fails only where
        rows of the call exclude each other: then it is split from here, and the later one is refused.
        """
        found = self.probe(batch, payload)
        keys = batch.keys(self.table)
        rejected = [
            Rejected(batch.positions[item], keys[item], sqlstate, constraint or None, column or None)
            for item, sqlstate, constraint, column in found
        ]
        good = batch.without(item for item, *_ in found)
        return rejected + self.split(good) if len(good) else rejected

    def probe(self, batch: Batch, payload: bytes) -> list[tuple[int, str, str, str]]:
        """Return the index of each row that the server refuses, its SQLSTATE, constraint and column.

        Without the right to create a temporary function it returns none.
        """
        try:
            with self.db.transaction(), self.db.connection() as connection:
                statement = self.statement(connection, batch.names).text
                execute(connection, probe_function(), ())
                found: list[Any] = fetch(connection, CALL_PROBE, [statement, payload], tuple)
                execute(connection, DROP_PROBE, ())
        except PermissionMissing:
            return []
        return found

    def split(self, batch: Batch) -> list[Rejected]:
        """Write a batch, in ever smaller parts where it fails, and return the rows that fail alone."""
        error = self.try_to_write(batch, encode_batch(self.table, batch))
        if error is None:
            return []
        if len(batch) == 1:
            column = error.columns[0] if len(error.columns) == 1 else None
            (key,) = batch.keys(self.table)
            return [Rejected(batch.positions[0], key, error.sqlstate or "", error.constraint, column)]
        size = -(-len(batch) // WAYS)
        return [each for begin in range(0, len(batch), size) for each in self.split(batch.slice(begin, begin + size))]


IMMEDIATE = Statement(b"set constraints all immediate", is_lasting=False)
CALL_PROBE = Statement(
    b"select item, state, constraint_of, column_of from pg_temp.trueup_probe($1::text, $2::json, 0)", is_lasting=False
)
DROP_PROBE = Statement(b"drop function pg_temp.trueup_probe(text, json, integer)", is_lasting=False)


@cache
def probe_function() -> Statement:
    """Return what creates the function that finds bad rows."""
    return Statement(files("trueup.tables").joinpath("probe.sql").read_bytes(), is_lasting=False)
