"""How much test data a database holds, counted by marker and by journal."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from trueup.db.block import Block
from trueup.db.database import Database
from trueup.errors import PermissionMissing, RowsHidden
from trueup.tables.contract import Table
from trueup.tables.markers.journal import has_journal
from trueup.tables.markers.marking import Marking, marking_of

SETTINGS = "set local row_security = off; set local extra_float_digits = 1"
"""A policy that would hide rows is an error, and a key that travels as text stays what it is."""
COUNT = sql.SQL(
    "{candidates}"
    "select count(*) filter (where is_marked), count(*) filter (where is_made),\n"
    "    count(*) filter (where is_marked and not is_made), count(*) filter (where is_made and not is_marked)\n"
    "from (select {marked} as is_marked, {made} as is_made from {table} as t join found on {same}) as counted"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableStats:
    """Is the test data of one table: by its marker, by the journal, and whether both mean the same rows."""

    table: str
    marked: int
    made: int
    foreign: int
    """Marked, but made by no test: rows of somebody else."""
    changed: int
    """Made by a test, but no longer marked."""

    @property
    def disagreements(self) -> tuple[str, ...]:
        """Return why these rows can't be deleted: the marker and the journal mean different ones."""
        found = []
        if self.foreign:
            found.append(f"{rows(self.foreign)} with the marker, and no test made {them(self.foreign)}")
        if self.changed:
            found.append(f"{rows(self.changed)} made by tests, without the marker now")
        return tuple(found)


def stats(db: Database, tables: Iterable[Table[Any]]) -> tuple[TableStats, ...]:
    """Return the test data of each table whose contract has a marker, all as of one moment; changes nothing.

    Raises:
        ContractError: no contract has a marker, or the markers don't fit together.
        RowsHidden: row security would hide rows.
        PermissionMissing, StatementTimeout, …: a table couldn't be read.
    """
    given = tuple(tables)
    with naming_hidden_rows(), db.transaction(isolation="repeatable read", read_only=True) as transaction:
        marking = read_marking(transaction, given)
        return tuple(count(transaction, marking))


def read_marking(transaction: Block, tables: Iterable[Table[Any]], run: str | None = None) -> Marking:
    """Return the markers of the tables, in a transaction in which no policy hides rows."""
    transaction.execute(SETTINGS)
    return marking_of(tables, has_journal=has_journal(transaction.connection), run=run)


def count(transaction: Block, marking: Marking) -> Iterator[TableStats]:
    """Give the test data of each table."""
    for table in marking.tables:
        values = transaction.execute(COUNT.format(**marking.parts(table)), marking.parameters).fetchone()
        assert values
        marked, made, foreign, changed = values
        yield TableStats(table=table.name, marked=marked, made=made, foreign=foreign, changed=changed)


@contextmanager
def naming_hidden_rows() -> Iterator[None]:
    """Raise RowsHidden where the server refuses a statement because a policy would hide rows from it."""
    try:
        yield
    except PermissionMissing as error:
        if "row-level security" not in str(error):
            raise
        raise RowsHidden(
            f"{error}: the role would see only some of the rows; use the owner of the table or a role with BYPASSRLS"
        ) from error


def rows(number: int) -> str:
    """Return `1 row` or `3 rows`."""
    return f"{number:,} row{'' if number == 1 else 's'}"


def them(number: int) -> str:
    """Return the pronoun for so many."""
    return "it" if number == 1 else "them"
