"""Finds the rows of a batch that the server refuses, and writes the others.

Rows that are refused by themselves are found on the server, in one round trip for any number of them: parts of a batch
are written and undone, and those that fail are divided. What is left fails only where rows exclude each other; then it
is divided from here, and the later one is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from psycopg import sql

from trueup.errors import DatabaseError, PermissionMissing
from trueup.tables.batches import Batch
from trueup.tables.contract import Table
from trueup.tables.execution import IDLE, execute, fetch
from trueup.tables.ordering import Rejected
from trueup.tables.payloads import Payload, encode_batch
from trueup.tables.statements import Names, Statement
from trueup.tables.writer import Part, Writer

ROW_FAULTS = frozenset({"21", "22", "23", "44", "P0"})
"""Classes of SQLSTATE that blame a row: cardinality, data, constraints, the check of a view, a trigger's exception."""
MAY_DEPEND = ("23503", "P0")
"""What a row may be refused for that another row of the call mends: a foreign key, a trigger."""
WAYS = 16

IMMEDIATE = Statement(b"set constraints all immediate", is_lasting=False)
DROP_PROBE = Statement(b"drop function pg_temp.trueup_probe, pg_temp.trueup_write", is_lasting=False)
MOST_COLUMNS = 99
"""How many the search takes: a function of the server has up to 100 arguments, and one of them is not a column."""

BODY = "#variable_conflict use_column\ndeclare counts record;\nbegin\n{}\ninto counts;\nend"
CREATE_WRITE = "create function pg_temp.trueup_write({types}) returns void language plpgsql as {body}"
CALL_PROBE = "select item, state, constraint_of, column_of from pg_temp.trueup_probe({given}, 0)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Is the statements that find bad rows among those that are given."""

    create_write: Statement
    """What creates the function that writes rows, whose statement is planned once for all calls."""
    create_probe: Statement
    call: Statement


def probe_of(table: Table[Any], names: Names, statement: Statement) -> Probe:
    """Return what finds the rows that a statement can't write."""
    types = [f"{table.column(name).type.sent_as}[]" for name in names]
    given = [f"${number}::{kind}" for number, kind in enumerate(types, 1)]
    part = [f"${number}[low + 1 : low + size]" for number in range(1, len(types) + 1)]
    body = sql.Literal(BODY.format(statement.text.decode())).as_string(None)
    create_probe = files("trueup.tables").joinpath("probe.sql").read_text(encoding="ascii")
    return Probe(
        create_write=once(CREATE_WRITE, types=types, body=[body]),
        create_probe=once(create_probe, types=types, part=part),
        call=once(CALL_PROBE, given=given),
    )


def once(text: str, **parts: list[str]) -> Statement:
    """Return a statement that is not worth preparing, with lists of parts in their places."""
    filled = text.format_map({name: ", ".join(items) for name, items in parts.items()})
    return Statement(filled.encode(), is_lasting=False, is_binary=True)


def write_what_can_be(writer: Writer, parts: Iterator[Part]) -> list[Rejected]:
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


def attempt(writer: Writer, batch: Batch, payload: Payload) -> DatabaseError | None:
    """Write a batch, or return why one of its rows prevents that."""
    try:
        with writer.db.transaction():
            writer.write(batch, payload)
    except DatabaseError as error:
        if (error.sqlstate or "")[:2] not in ROW_FAULTS:
            raise
        return error
    return None


def isolate(writer: Writer, batch: Batch, payload: Payload) -> list[Rejected]:
    """Write a batch without the rows that the server refuses, and return those."""
    found = probe(writer, batch, payload)
    rejected = [
        Rejected(batch.positions[item], batch.key_of(item), sqlstate, constraint or None, column or None)
        for item, sqlstate, constraint, column in found
    ]
    good = batch.without(item for item, *_ in found)
    return rejected + split(writer, good) if len(good) else rejected


def probe(writer: Writer, batch: Batch, payload: Payload) -> list[tuple[int, str, str, str]]:
    """Return the index of each row that the server refuses, its SQLSTATE, constraint and column.

    Without the right to create a temporary function, or with too many columns for one, it returns none. The rows are
    sent without dictionaries, which would be read again for every part that is tried.
    """
    if len(batch.names) > MOST_COLUMNS:
        return []
    try:
        with writer.db.transaction(), writer.db.connection() as connection:
            way = probe_of(writer.table, batch.names, writer.statement_on(connection, batch.names, ()))
            execute(connection, way.create_write, ())
            execute(connection, way.create_probe, ())
            plain = encode_batch(batch) if payload.coded else payload
            found: list[Any] = fetch(connection, way.call, plain.arrays, tuple)
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
