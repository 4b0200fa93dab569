"""Where repositories get their connections from."""

from contextlib import AbstractContextManager
from typing import Protocol

from trueup.db.connection import Connection


class Connections(Protocol):
    """Gives the calling thread a connection: a `Database`, or what stands in for one in a test."""

    def connection(self) -> AbstractContextManager[Connection]:
        """Hold a connection in autocommit, or that of the thread's transaction."""

    def transaction(self) -> AbstractContextManager[object]:
        """Hold a transaction; within another one, a savepoint."""
