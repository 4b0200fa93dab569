"""Rows of a table, kept as text to be put back: PostgreSQL's text form loses nothing and every type has one."""

from collections import Counter

from trueup.db import Connection
from trueup.testing.rewind.statements import copy_in, copy_out
from trueup.testing.rewind.structure import Table

LARGEST_BYTES = 2_000_000
"""Of a table, as it lies on disk: to put rows of a larger one back takes longer than a new clone."""


def read_copy(connection: Connection, table: Table, horizon: str | None = None) -> bytes:
    """Return all rows of a table, a line each, or those of transactions before the horizon."""
    with connection.cursor() as cursor, cursor.copy(copy_out(table, horizon)) as copy:
        return b"".join(copy)


def missing(whole: bytes, part: bytes) -> bytes:
    """Return the lines of `whole` that `part` lacks, as often as it lacks them."""
    if not part:
        return whole
    lines = Counter(whole.split(b"\n"))
    lines.subtract(part.split(b"\n"))
    return b"".join(line + b"\n" for line in (+lines).elements())


def write_rows(connection: Connection, table: Table, rows: bytes) -> int:
    """Add rows to a table and return how many it took."""
    with connection.cursor() as cursor:
        with cursor.copy(copy_in(table)) as copy:
            copy.write(rows)
        return cursor.rowcount
