"""The statements that a test runs, as psycopg and trueup send them: kept for the report of its failure."""

from collections.abc import Callable, Generator
from functools import partial
from time import perf_counter
from types import TracebackType
from typing import Any, Self

import psycopg

from trueup.testing.failures.record import Ran, is_of_the_test
from trueup.testing.failures.waits import WAITED, blockers
from trueup.testing.guard.doors.changes import Changes
from trueup.testing.guard.gate import OUTSIDE, Gate


class Recording:
    """Records a statement of the test while its block sends it, and who held it up if it waited in vain."""

    __slots__ = ("connection", "gate", "rows", "started", "text", "values")

    def __init__(self, gate: Gate, connection: Any, text: Any, values: Any = None) -> None:
        self.gate = gate
        self.connection = connection
        self.text = text
        self.values = values
        self.rows: int | None = None

    def __enter__(self) -> Self:
        self.started = perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = perf_counter() - self.started
        owner = self.gate.owner
        if owner is OUTSIDE or not is_of_the_test():
            return
        state = error.sqlstate if isinstance(error, psycopg.Error) else None
        values = self.values if self.gate.shows_values else None
        failure = state or (type(error).__name__ if error is not None else "")
        held_up_by = blockers(self.gate, self.connection) if state in WAITED else ()
        owner.statements.append(Ran(self.text, values, seconds, self.rows, failure, held_up_by))


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
        with Recording(gate, self._conn, query, arguments[0] if arguments else None) as recording:
            result = yield from exchange(self, query, *arguments, **options)
            recording.rows = None if self._conn._pipeline else self._rowcount  # noqa: SLF001  Not known yet.
        return result

    return recorded


def recording_connection(gate: Gate, exchange: Callable[..., Any]) -> Callable[..., Any]:
    """Return a connection's way to begin and end transactions, recorded."""

    def recorded(self: Any, command: Any, *arguments: Any, **options: Any) -> Generator[Any, Any, Any]:
        with Recording(gate, self, command):
            return (yield from exchange(self, command, *arguments, **options))

    return recorded


def recording_command(gate: Gate, command: Callable[..., Any]) -> Callable[..., Any]:
    """Return the runtime's way to begin and end transactions, recorded."""

    def recorded(self: Any, statements: bytes) -> Any:
        with Recording(gate, self, statements):
            return command(self, statements)

    return recorded


def guard(gate: Gate, changes: Changes) -> None:
    """Record what repositories run."""
    from trueup.tables import execution  # noqa: PLC0415  It is being loaded.

    def recording(run: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(connection: Any, memory: Any, statement: Any, parameters: Any) -> Any:
            with Recording(gate, connection, statement.text, parameters) as recording:
                result = run(connection, memory, statement, parameters)
                recording.rows = result.command_tuples
            return result

        return recorded

    changes.replace(execution, "run", recording)
