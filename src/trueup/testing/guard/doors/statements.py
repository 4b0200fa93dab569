"""The statements that a test runs, as psycopg and trueup send them: kept for the report of its failure.

What runs for each of them is written out, without a block around it: it costs microseconds, and there are many.
"""

from collections.abc import Callable, Generator
from functools import partial
from time import perf_counter
from typing import Any

import psycopg

from trueup.testing.failures.record import Ran, is_of_the_test
from trueup.testing.failures.waits import WAITED, blockers
from trueup.testing.guard.doors.changes import Changes
from trueup.testing.guard.gate import OUTSIDE, Gate


def record(
    gate: Gate,
    connection: Any,
    text: Any,
    started: float,
    *,
    values: Any = None,
    rows: int | None = None,
    error: BaseException | None = None,
) -> None:
    """Record a statement of the test, with who held it up if it waited in vain."""
    seconds = perf_counter() - started
    owner = gate.owner
    if owner is OUTSIDE or not is_of_the_test():
        return
    kept = values if gate.shows_values else None
    if error is None:
        owner.statements.append(Ran(text, kept, seconds, rows))
        return
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    held_up_by = blockers(gate, connection) if state in WAITED else ()
    owner.statements.append(Ran(text, kept, seconds, rows, state or type(error).__name__, held_up_by))


def guard_cursors(gate: Gate, changes: Changes) -> None:
    """Record what psycopg's cursors and connections of every kind run."""
    from psycopg._connection_base import BaseConnection  # noqa: PLC0415  The driver is being loaded.
    from psycopg._cursor_base import BaseCursor  # noqa: PLC0415

    for name in ("_execute_gen", "_executemany_gen_no_pipeline", "_executemany_gen_pipeline", "_start_copy_gen"):
        changes.replace(BaseCursor, name, partial(recording_cursor, gate))
    changes.replace(BaseConnection, "_exec_command", partial(recording_connection, gate))


def recording_cursor(gate: Gate, exchange: Callable[..., Any]) -> Callable[..., Any]:
    """Return a cursor's way to run a statement, recorded."""

    def recorded(self: Any, query: Any, *arguments: Any, **options: Any) -> Generator[Any, Any, Any]:
        connection, values, started = self._conn, arguments[0] if arguments else None, perf_counter()
        try:
            result = yield from exchange(self, query, *arguments, **options)
        except BaseException as error:
            record(gate, connection, query, started, values=values, error=error)
            raise
        rows = None if connection._pipeline else self._rowcount  # noqa: SLF001  Not known yet.
        record(gate, connection, query, started, values=values, rows=rows)
        return result

    return recorded


def recording_connection(gate: Gate, exchange: Callable[..., Any]) -> Callable[..., Any]:
    """Return a connection's way to begin and end transactions, recorded."""

    def recorded(self: Any, command: Any, *arguments: Any, **options: Any) -> Generator[Any, Any, Any]:
        started = perf_counter()
        try:
            result = yield from exchange(self, command, *arguments, **options)
        except BaseException as error:
            record(gate, self, command, started, error=error)
            raise
        record(gate, self, command, started)
        return result

    return recorded


def recording_command(gate: Gate, command: Callable[..., Any]) -> Callable[..., Any]:
    """Return the runtime's way to begin and end transactions, recorded."""

    def recorded(self: Any, statements: bytes) -> Any:
        started = perf_counter()
        try:
            result = command(self, statements)
        except BaseException as error:
            record(gate, self, statements, started, error=error)
            raise
        record(gate, self, statements, started)
        return result

    return recorded


def guard(gate: Gate, changes: Changes) -> None:
    """Record what repositories run."""
    from trueup.tables import execution  # noqa: PLC0415  It is being loaded.

    changes.replace(execution, "run", partial(recording_run, gate))


def recording_run(gate: Gate, run: Callable[..., Any]) -> Callable[..., Any]:
    """Return a repository's way to run a statement, recorded."""

    def recorded(connection: Any, memory: Any, statement: Any, parameters: Any) -> Any:
        started = perf_counter()
        try:
            result = run(connection, memory, statement, parameters)
        except BaseException as error:
            record(gate, connection, statement.text, started, values=parameters, error=error)
            raise
        record(gate, connection, statement.text, started, values=parameters, rows=result.command_tuples)
        return result

    return recorded
