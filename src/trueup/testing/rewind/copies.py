"""Rows of a table, kept as text to be put back: PostgreSQL's text form loses nothing and every type has one."""

from collections import Counter
from collections.abc import Sequence

from psycopg import generators
from psycopg.abc import PQGen
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn
from psycopg.waiting import Wait, wait

from trueup.db import Connection
from trueup.testing.rewind.plans import INTERRUPTIBLE_S
from trueup.testing.rewind.statements import copy_in, copy_out
from trueup.testing.rewind.structure import Table

LARGEST_BYTES = 2_000_000
"""Of a table, as it lies on disk: to put rows of a larger one back takes longer than a new clone."""


def read_copy(connection: Connection, table: Table, horizon: str | None = None) -> bytes:
    """Return all rows of a table, a line each, or those of transactions before the horizon."""
    with connection.cursor() as cursor, cursor.copy(copy_out(table, horizon)) as copy:
        return b"".join(copy)


def read_copies(connection: Connection, tables: Sequence[Table]) -> list[bytes]:
    """Return all rows of each table, a line each; they are asked for in one message."""
    if not tables:
        return []
    login = connection.pgconn
    login.send_query(b";".join(copy_out(table).as_bytes(connection) for table in tables))
    return wait(copied(login), login.socket, INTERRUPTIBLE_S)


def copied(login: PGconn) -> PQGen[list[bytes]]:
    """Return what each COPY of a message gives, for which the driver knows one COPY a message alone."""
    found: list[bytes] = []
    results = yield from generators.execute(login)
    while True:
        for result in results:
            if result.status not in {ExecStatus.COPY_OUT, ExecStatus.COMMAND_OK}:
                raise error_from_result(result)
        if not results or results[-1].status != ExecStatus.COPY_OUT:
            return found
        lines: list[bytes] = []
        while (line := login.get_copy_data(1))[0] >= 0:
            if line[0]:
                lines.append(bytes(line[1]))
            else:
                yield Wait.R
                login.consume_input()
        found.append(b"".join(lines))
        results = yield from generators.fetch_many(login)


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
