"""How long the code under test waits for the server."""

from collections.abc import Callable
from threading import Lock, current_thread
from time import perf_counter
from typing import Any

import psycopg

from trueup.testing.guard.doors.changes import Changes

OWN_THREADS = "trueup"
"""How the names of threads begin that work for the harness, or behind the test's back for a pool."""


class Meter:
    """Sums up what all connections wait for, until it is stopped."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.exchanges = 0
        self._lock = Lock()
        self._changes = Changes()

    def start(self) -> None:
        """Measure from now on."""
        self._changes.replace(psycopg.Connection, "wait", self._timed)
        self._changes.replace(psycopg.AsyncConnection, "wait", self._timed_async)

    def stop(self) -> None:
        """Leave psycopg as it was."""
        self._changes.undo()

    def take(self) -> tuple[float, int]:
        """Return the seconds and the exchanges since the last time."""
        with self._lock:
            found = (self.seconds, self.exchanges)
            self.seconds, self.exchanges = 0.0, 0
        return found

    def _add(self, started: float) -> None:
        if not current_thread().name.startswith(OWN_THREADS):
            with self._lock:
                self.seconds += perf_counter() - started
                self.exchanges += 1

    def _timed(self, wait: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            started = perf_counter()
            try:
                return wait(*arguments, **options)
            finally:
                self._add(started)

        return timed

    def _timed_async(self, wait: Callable[..., Any]) -> Callable[..., Any]:
        async def timed(*arguments: Any, **options: Any) -> Any:
            started = perf_counter()
            try:
                return await wait(*arguments, **options)
            finally:
                self._add(started)

        return timed
