"""Inserts a row or updates the one that has its key, whoever else does the same at that moment.

`insert … on conflict` decides in one statement. Where it can't say which it was (partitioned tables before PostgreSQL
18), or would refuse to update a row for a column that only an insert needs, the row is updated, else inserted, else all
of it is tried again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, Literal, TypeVar

from trueup.db.connection import Connection
from trueup.errors import Conflict
from trueup.tables import statements
from trueup.tables.conditions import Parameters
from trueup.tables.contract import Table
from trueup.tables.errors import StatementRefused
from trueup.tables.execution import fetch, flag_for
from trueup.tables.statements import Flag

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Names = tuple[str, ...]
Maker = Callable[[tuple[Any, ...]], R]

ROUNDS = 5
"""How often a row that is neither written nor found is tried again."""


@dataclass(frozen=True, slots=True)
class Upserted(Generic[R_co]):
    """Is a row as it is stored now, and what was done to it."""

    row: R_co
    status: Literal["inserted", "updated", "unchanged"]


def upsert(
    connection: Connection, table: Table[R], make: Maker[R], names: Names, parameters: Parameters
) -> Upserted[R]:
    """Write a row and return it with what was done.

    Raises:
        StatementRefused: its key is not complete.
        Conflict: others deleted the row whenever it was there.
    """
    way = way_of(table, names)
    writing = Writing(connection, table, make, names, parameters, way, key_of(table, way, parameters))
    for _ in range(ROUNDS):
        if done := writing.attempt():
            return done
    raise Conflict(
        f"{table.name}: a row was neither written nor found, {ROUNDS} times: others delete it as fast, or"
        " a trigger or a policy hides it"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Is what the columns that a row sets decide."""

    key: tuple[int, ...]
    """Where each column of the conflict key stands among them."""
    has_change: bool
    """Whether there is anything to change in a row that exists."""
    is_complete: bool
    """Whether a new row needs no other column."""


@lru_cache(statements.SHAPES)
def way_of(table: Table[Any], names: Names) -> Way:
    """Return what columns decide.

    Raises:
        StatementRefused: the conflict key is not among them, or a row of another tenant could have the same one.
    """
    check_conflict_key(table)
    if missing := [name for name in table.key if name not in names]:
        raise StatementRefused(f"{table.name}.{missing[0]}: it is part of the conflict key and not set")
    return Way(
        key=tuple(map(names.index, table.key)),
        has_change=bool(statements.changed_by(table, names)),
        is_complete=table.required.issubset(names),
    )


@dataclass(slots=True, eq=False)  # Not frozen: that would take six times as long to make, for every upsert.
class Writing(Generic[R]):
    """Is one row on its way; each attempt returns None when others were in between."""

    connection: Connection
    table: Table[R]
    make: Maker[R]
    names: Names
    parameters: Parameters
    way: Way
    key: Parameters

    def attempt(self) -> Upserted[R] | None:
        """Write the row in the way that these columns need."""
        if not self.way.has_change:
            return self.read() or self.insert()
        flag = flag_for(self.connection, self.table) if self.way.is_complete else None
        return self.insert_or_update(flag) or self.read() if flag else self.update_or_read() or self.insert()

    def insert_or_update(self, flag: Flag) -> Upserted[R] | None:
        """Write the row unless it would stay as it is."""
        rows = fetch(self.connection, statements.upsert(self.table, self.names, flag), self.parameters, tuple)
        return Upserted(self.make(rows[0][:-1]), "inserted" if rows[0][-1] else "updated") if rows else None

    def update_or_read(self) -> Upserted[R] | None:
        """Write the row if it exists and would change."""
        rows = fetch(self.connection, statements.update_or_read(self.table, self.names), self.parameters, tuple)
        return Upserted(self.make(rows[0][:-1]), "updated" if rows[0][-1] else "unchanged") if rows else None

    def insert(self) -> Upserted[R] | None:
        """Write the row unless its key is taken."""
        statement = statements.insert_or_nothing(self.table, self.names)
        rows = fetch(self.connection, statement, self.parameters, self.make)
        return Upserted(rows[0], "inserted") if rows else None

    def read(self) -> Upserted[R] | None:
        """Return the row as it is."""
        rows = fetch(self.connection, statements.by_key(self.table), self.key, self.make)
        return Upserted(rows[0], "unchanged") if rows else None


def key_of(table: Table[Any], way: Way, parameters: Parameters) -> Parameters:
    """Return the parameters of the conflict key.

    Raises:
        StatementRefused: a part of it is NULL.
    """
    key = [parameters[index] for index in way.key]
    if None in key:
        name = table.key[key.index(None)]
        raise StatementRefused(
            f"{table.name}.{name}: it is part of the conflict key and NULL, which equals no other NULL"
        )
    return key


def check_conflict_key(table: Table[Any]) -> None:
    """Raise StatementRefused if a row of another tenant could have the same conflict key."""
    if table.tenant is not None and table.tenant not in table.key:
        raise StatementRefused(
            f"{table.name}: the conflict key lacks the tenant column {table.tenant}, so an upsert could overwrite the"
            " row of another tenant; insert or update instead"
        )
