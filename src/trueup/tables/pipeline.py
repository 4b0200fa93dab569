"""Sends statements one behind the other without waiting for answers in between, as a whole or not at all.

The server works on one while the next is made. Outside a transaction they are one implicit transaction: it ends with
the `Sync` that follows the last of them, so that any number of statements takes one round trip and no BEGIN.

Source: PostgreSQL manual, "Pipelining" (protocol) and "Pipeline Mode" (libpq).
"""

from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import generators, pq
from psycopg.abc import PQGen
from psycopg.errors import error_from_result
from psycopg.pq.abc import PGconn, PGresult

from trueup.db.connection import Connection
from trueup.errors import DatabaseError
from trueup.tables.execution import BINARY, IDLE, memory_of
from trueup.tables.statements import Statement

Call = tuple[Statement, list[bytes]]
UNNAMED = b""
AHEAD = 1
"""How many statements the server still has to answer when the next one is made: one that it works on."""
TUPLES = pq.ExecStatus.TUPLES_OK
GOOD = frozenset({TUPLES, pq.ExecStatus.COMMAND_OK, pq.ExecStatus.PIPELINE_SYNC})
ACTIVE = pq.TransactionStatus.ACTIVE


def pipelined(connection: Connection, calls: Iterable[Call]) -> list[tuple[Any, ...]]:
    """Run statements that answer with rows, making the next while the server works; return the rows of all.

    What makes the calls may raise: then nothing that was sent outside a transaction is stored.

    Raises:
        psycopg.Error: the server refused a statement, or the end of the implicit transaction.
    """
    transformer = memory_of(connection).transformer
    pgconn = connection.pgconn
    is_implicit = pgconn.transaction_status == IDLE
    with connection.lock:
        pgconn.enter_pipeline_mode()
        try:
            results = exchange(connection, calls)
        except Exception as error:
            with suppress(psycopg.Error, DatabaseError):
                leave(connection, undo=is_implicit and not isinstance(error, psycopg.Error))
            raise
        pgconn.exit_pipeline_mode()
    rows: list[tuple[Any, ...]] = []
    for result in results:
        transformer.set_pgresult(result)
        rows += transformer.load_rows(0, result.ntuples, tuple)
    transformer.set_pgresult(None, set_loaders=False)
    return rows


def exchange(connection: Connection, calls: Iterable[Call]) -> list[PGresult]:
    """Send the calls, then the end, and return the answers."""
    pgconn = connection.pgconn
    results: list[PGresult] = []
    parsed: Statement | None = None
    unanswered: deque[int] = deque()
    """How many answers each call still waits for: those to its parsing and to itself."""
    for statement, parameters in calls:
        if statement is not parsed:
            pgconn.send_prepare(UNNAMED, statement.text)
        pgconn.send_query_prepared(UNNAMED, parameters, [BINARY] * len(parameters), BINARY)
        pgconn.send_flush_request()
        connection.wait(generators.send(pgconn))
        unanswered.append(1 if statement is parsed else 2)
        parsed = statement
        if len(unanswered) > AHEAD:
            results += answers(connection, unanswered.popleft())
    pgconn.pipeline_sync()
    connection.wait(generators.send(pgconn))
    results += answers(connection, sum(unanswered) + 1)
    return [result for result in results if result.status == TUPLES]


def answers(connection: Connection, number: int) -> list[PGresult]:
    """Return so many answers."""
    return [connection.wait(answer(connection.pgconn)) for _ in range(number)]


def answer(pgconn: PGconn) -> PQGen[PGresult]:
    """Wait for the next answer; a psycopg.Error is raised here, where `wait` can see it."""
    results: list[PGresult] = yield from generators.fetch_many(pgconn)
    result = results[-1]
    if result.status not in GOOD:
        raise error_from_result(result, encoding="utf-8")
    return result


def leave(connection: Connection, *, undo: bool) -> None:
    """Take the connection out of pipeline mode, after taking back what has been sent if that is to be undone.

    The end that has to be sent would commit it.
    """
    pgconn = connection.pgconn
    if undo:
        pgconn.send_query_params(b"rollback", None)
    pgconn.pipeline_sync()
    connection.wait(generators.send(pgconn))
    while pgconn.transaction_status == ACTIVE:
        connection.wait(generators.fetch_many(pgconn))
    pgconn.exit_pipeline_mode()
