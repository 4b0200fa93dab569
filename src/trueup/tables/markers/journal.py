"""The journal of a live database: which rows tests made, by key, written in the transaction that made them.

A row and its entry are committed together or not at all. So an entry without a row means that the row was deleted, and
a marked row without an entry is somebody else's.
"""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from trueup.db.connection import Connection
from trueup.errors import UsageError
from trueup.tables.contract import Table

SCRIPT = files("trueup.tables.markers").joinpath("journal.sql").read_text(encoding="utf-8")
"""What creates it; harmless where it is there."""


def has_journal(connection: Connection) -> bool:
    """Say whether the database has a journal that this role can read."""
    found = connection.execute("select to_regclass('trueup.made') is not null").fetchone()
    return bool(found and found[0])


def create_journal(connection: Connection) -> None:
    """Create the journal, if it isn't there; the role that does becomes its owner."""
    connection.execute(SCRIPT.encode())


def record(connection: Connection, table: Table[Any], rows: Sequence[object], *, run: str) -> None:
    """Write down rows as they are stored now; belongs to the transaction that made them.

    Raises:
        UsageError: there is no transaction, so a row could be stored without its entry.
    """
    if connection.autocommit and not connection.info.transaction_status:
        raise UsageError(
            f"{table.name}: rows are written down in the transaction that makes them: use db.transaction()"
        )
    keys = [key_of(table, row) for row in rows]
    connection.cursor().executemany(
        "insert into trueup.made (relation, key, run) values (%s, %s, %s)", [(table.name, key, run) for key in keys]
    )


def next_number(connection: Connection) -> int:
    """Return a number that no other run, worker or machine gets from this database."""
    found = connection.execute("select nextval('trueup.numbers')").fetchone()
    assert found
    return int(found[0])


def key_of(table: Table[Any], row: object) -> list[str]:
    """Return the primary key of a row as PostgreSQL reads it, in the contract's order."""
    return [table.column(name).type.encode(getattr(row, name)) for name in table.primary_key]
