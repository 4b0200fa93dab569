"""Finds the rows of a batch that the server refuses, and writes the others.

Rows that are refused by themselves are found on the server, in one round trip for any number of them: parts of a batch
are written and undone, and those that fail are divided. What is left fails only where rows exclude each other; then it
is divided from here, and the later one is refused.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from psycopg import sql

from trueup.errors import DatabaseError, PermissionMissing
from trueup.tables.batches import Batch
from trueup.tables.execution import IDLE, execute, fetch
from trueup.tables.ordering import Rejected
from trueup.tables.payloads import encode_batch
from trueup.tables.statements import Statement
from trueup.tables.writer import Writer

ROW_FAULTS = frozenset({"21", "22", "23", "44", "P0"})
"""Classes of SQLSTATE that blame a row: cardinality, data, constraints, the check of a view, a trigger's exception."""
MAY_DEPEND = ("23503", "P0")
"""What a row may be refused for that another row of the call mends: a foreign key, a trigger."""
WAYS = 16

IMMEDIATE = Statement(b"set constraints all immediate", is_lasting=False)
CALL_PROBE = Statement(
    b"select item, state, constraint_of, column_of from pg_temp.trueup_probe($1::text[], 0)",
    is_lasting=False,
    is_binary=True,
)
DROP_PROBE = Statement(
    b"drop function pg_temp.trueup_probe(text[], integer), pg_temp.trueup_write(text[])", is_lasting=False
)
WRITE = "#variable_conflict use_column\ndeclare counts record;\nbegin\n{}\ninto counts;\nend"


@cache
def probe_function() -> Statement:
    """Return what creates the function that finds bad rows."""
    return Statement(files("trueup.tables").joinpath("probe.sql").read_bytes(), is_lasting=False)


def write_function(statement: Statement) -> Statement:
    """Return what creates the function that writes rows by a statement, which is planned once for all calls."""
    create = sql.SQL("create function pg_temp.trueup_write(text[]) returns void language plpgsql as {}")
    body = WRITE.format(statement.text.decode())
    return Statement(create.format(sql.Literal(body)).as_bytes(None), is_lasting=False)


def write_what_can_be(writer: Writer, parts: Iterator[tuple[Batch, bytes]]) -> list[Rejected]:
    """Write every row that the server takes, in one transaction, and return the others."""
    with writer.db.connection() as connection:
        is_own = connection.pgconn.transaction_status == IDLE
    with writer.db.transaction():
        if is_own:
            with writer.db.connection() as connection:
                execute(connection, IMMEDIATE, ())
        refused = [
            (batch, rejected)
            for batch, payload in parts
            if attempt(writer, batch, payload) is not None and (rejected := isolate(writer, batch, payload))
        ]
        while refused != (fewer := [again(writer, batch, rejected) for batch, rejected in refused]):
            refused = fewer
    return [each for _, rejected in refused for each in rejected]


def again(writer: Writer, batch: Batch, rejected: list[Rejected]) -> tuple[Batch, list[Rejected]]:
    """Try rows again that may have been refused for the lack of another one; return what is still refused."""
    hopeful = {each.position for each in rejected if each.sqlstate.startswith(MAY_DEPEND)}
    if not hopeful:
        return batch, rejected
    rows = batch.take([i for i, position in enumerate(batch.positions) if position in hopeful])
    still = isolate(writer, rows, encode_batch(rows))
    if len(still) == len(hopeful):
        return batch, rejected
    return batch, [each for each in rejected if each.position not in hopeful] + still


def attempt(writer: Writer, batch: Batch, payload: bytes) -> DatabaseError | None:
    """Write a batch, or return why one of its rows prevents that."""
    try:
        with writer.db.transaction():
            writer.write(batch, payload)
    except DatabaseError as error:
        if (error.sqlstate or "")[:2] not in ROW_FAULTS:
            raise
        return error
    return None


def isolate(writer: Writer, batch: Batch, payload: bytes) -> list[Rejected]:
    """Write a batch without the rows that the server refuses, and return those."""
    found = probe(writer, batch, payload)
    rejected = [
        Rejected(batch.positions[item], batch.key_of(item), sqlstate, constraint or None, column or None)
        for item, sqlstate, constraint, column in found
    ]
    good = batch.without(item for item, *_ in found)
    return rejected + split(writer, good) if len(good) else rejected


def probe(writer: Writer, batch: Batch, payload: bytes) -> list[tuple[int, str, str, str]]:
    """Return the index of each row that the server refuses, its SQLSTATE, constraint and column.

    Without the right to create a temporary function it returns none.
    """
    try:
        with writer.db.transaction(), writer.db.connection() as connection:
            execute(connection, write_function(writer.statement_on(connection, batch.names)), ())
            execute(connection, probe_function(), ())
            found: list[Any] = fetch(connection, CALL_PROBE, [payload], tuple)
            execute(connection, DROP_PROBE, ())
    except PermissionMissing:
        return []
    return found


def split(writer: Writer, batch: Batch) -> list[Rejected]:
    """Write a batch, in ever smaller parts where it fails, and return the rows that fail alone."""
    error = attempt(writer, batch, encode_batch(batch))
    if error is None:
        return []
    if len(batch) == 1:
        column = error.columns[0] if len(error.columns) == 1 else None
        return [Rejected(batch.positions[0], batch.key_of(0), error.sqlstate or "", error.constraint, column)]
    size = -(-len(batch) // WAYS)
    parts = (batch.slice(begin, begin + size) for begin in range(0, len(batch), size))
    return [each for part in parts for each in split(writer, part)]
