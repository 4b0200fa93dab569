"""psycopg_pool: who opens a pool or takes from it is asked, not the threads that connect for it."""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, ref

from psycopg_pool import AsyncConnectionPool, ConnectionPool
from psycopg_pool.base import BasePool

from trueup.errors import Refused
from trueup.testing.guard.doors.changes import Changes
from trueup.testing.guard.gate import Gate, Opening
from trueup.testing.guard.stacks import capture

OPENED: "WeakSet[Any]" = WeakSet()
"""Pools that were opened; they may be closed by now."""
TAKEN: "WeakKeyDictionary[Any, Opening]" = WeakKeyDictionary()
"""Connections that were taken and not given back, and by whom."""
REFUSED: "WeakKeyDictionary[Any, Refused]" = WeakKeyDictionary()
"""Pools that would connect to where they must not."""


def guard(gate: Gate, changes: Changes) -> None:
    """Lead psycopg_pool through the gate."""
    changes.replace(BasePool, "_check_open", lambda original: opening(gate, original))
    changes.replace(BasePool, "_check_open_getconn", lambda original: taking(gate, original))
    changes.replace(ConnectionPool, "_connect", connecting)
    changes.replace(AsyncConnectionPool, "_connect", connecting_async)
    changes.replace(ConnectionPool, "getconn", lambda original: taken(gate, original))
    changes.replace(AsyncConnectionPool, "getconn", lambda original: taken_async(gate, original))
    for kind in (ConnectionPool, AsyncConnectionPool):
        changes.replace(kind, "_check_pool_putconn", given_back)


def opening(gate: Gate, original: Callable[[Any], None]) -> Callable[[Any], None]:
    """Ask when a pool is opened, in the thread of who opens it, and note that it has to be closed."""

    def check(self: Any) -> None:
        stack = gate.ask()
        original(self)
        OPENED.add(self)
        gate.note("pool", ref(self), stack)

    return check


def taking(gate: Gate, original: Callable[[Any], None]) -> Callable[[Any], None]:
    """Ask when a connection is taken."""

    def check(self: Any) -> None:
        gate.ask()
        if self in REFUSED:
            gate.refuse(REFUSED[self])
        original(self)

    return check


def connecting(original: Callable[..., Any]) -> Callable[..., Any]:
    """Tell those who wait for a connection at once that it was refused; the pool would try for minutes."""

    def connect(self: Any, timeout: float | None = None) -> Any:
        try:
            return original(self, timeout)
        except Refused as error:
            for client in waiting(self, error):
                client.fail(error)
            raise

    return connect


def connecting_async(original: Callable[..., Any]) -> Callable[..., Any]:
    """Do the same for the asynchronous pool."""

    async def connect(self: Any, timeout: float | None = None) -> Any:
        try:
            return await original(self, timeout)
        except Refused as error:
            for client in waiting(self, error):
                await client.fail(error)
            raise

    return connect


def waiting(pool: Any, error: Refused) -> list[Any]:
    """Return who waits for a connection of a pool that will never get one; who waits for the pool is let go."""
    REFUSED[pool] = error
    clients = list(pool._waiting)  # noqa: SLF001
    pool._waiting.clear()  # noqa: SLF001
    if pool._pool_full_event:  # noqa: SLF001
        pool._pool_full_event.set()  # noqa: SLF001
    return clients


def taken(gate: Gate, original: Callable[..., Any]) -> Callable[..., Any]:
    """Remember who takes a connection."""

    def getconn(self: Any, timeout: float | None = None) -> Any:
        connection = original(self, timeout)
        TAKEN[connection] = Opening(kind="connection", thing=None, stack=capture(), owner=gate.owner)
        return connection

    return getconn


def taken_async(gate: Gate, original: Callable[..., Any]) -> Callable[..., Any]:
    """Remember who takes a connection of the asynchronous pool."""

    async def getconn(self: Any, timeout: float | None = None) -> Any:
        connection = await original(self, timeout)
        TAKEN[connection] = Opening(kind="connection", thing=None, stack=capture(), owner=gate.owner)
        return connection

    return getconn


def given_back(original: Callable[..., None]) -> Callable[..., None]:
    """Forget who took a connection that comes back."""

    def check(self: Any, connection: Any) -> None:
        original(self, connection)
        TAKEN.pop(connection, None)

    return check
