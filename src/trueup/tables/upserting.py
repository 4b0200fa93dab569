"""Inserts a row or updates the one that has its key, whoever else does the same at that moment.

`insert … on conflict` decides in one statement. Where it can't say which it was (partitioned tables before PostgreSQL
18), or would refuse to update a row for a column that only an insert needs, the row is updated, else inserted, else all
of it is tried again.
"""

from collections.abc import Callable
from dataclasses import dataclass
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
    writing = Writing(connection, table, make, names, parameters, key_of(table, names, parameters))
    for _ in range(ROUNDS):
        if done := writing.attempt():
            return done
    raise Conflict(
        f"{table.name}: a row was neither written nor found, {ROUNDS} times: others delete it as fast, or"
        " a trigger or a policy hides it"
    )


@dataclass(frozen=True, slots=True)
class Writing(Generic[R]):
    """Is one row on its way; each attempt returns None when others were in between."""

    connection: Connection
    table: Table[R]
    make: Maker[R]
    names: Names
    parameters: Parameters
    key: Parameters

    def attempt(self) -> Upserted[R] | None:
        """Write the row in the way that these columns need."""
        if not statements.changed_by(self.table, self.names):
            return self.read() or self.insert()
        is_complete = self.table.required.issubset(self.names)
        flag = flag_for(self.connection, self.table) if is_complete else None
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


def key_of(table: Table[Any], names: tuple[str, ...], parameters: Parameters) -> Parameters:
    """Return the parameters of the conflict key.

    Raises:
        StatementRefused: the row doesn't set it, or sets a part of it to NULL, or it doesn't hold the tenant.
    """
    check_conflict_key(table)
    given = dict(zip(names, parameters, strict=True))
    for name in table.key:
        if given.get(name) is None:
            state = "NULL, which equals no other NULL" if name in given else "not set"
            raise StatementRefused(f"{table.name}.{name}: it is part of the conflict key and {state}")
    return [given[name] for name in table.key]


def check_conflict_key(table: Table[Any]) -> None:
    """Raise StatementRefused if a row of another tenant could have the same conflict key."""
    if table.tenant is not None and table.tenant not in table.key:
        raise StatementRefused(
            f"{table.name}: the conflict key lacks the tenant column {table.tenant}, so an upsert could overwrite the"
            " row of another tenant; insert or update instead"
        )
