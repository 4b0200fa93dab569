"""The end of what takes too long: the statements that connections run are cancelled until their block ends."""

import contextlib
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic

import psycopg

from trueup.db import Connection

CANCEL_S = 2.0
AGAIN_S = 0.05
PATIENCE_S = 5.0
"""How long after the deadline a connection may go on not to answer before it is cut."""


class Deadline:
    """Cancels what connections run once the time is up, again and again, and at last cuts them."""

    def __init__(self, seconds: float, connections: Sequence[Connection]) -> None:
        self.seconds = seconds
        self.connections = connections
        self.is_over = False
        self.ended = Event()

    def watch(self) -> None:
        """Wait for the end of the block, or see to it."""
        if self.ended.wait(self.seconds):
            return
        self.is_over = True
        cut_at = monotonic() + PATIENCE_S
        while not self.ended.is_set():
            for connection in self.connections:
                if monotonic() > cut_at:
                    cut(connection)
                else:
                    with contextlib.suppress(psycopg.Error):
                        connection.cancel_safe(timeout=CANCEL_S)
            self.ended.wait(AGAIN_S)


@contextmanager
def deadline(seconds: float, connections: Sequence[Connection]) -> Iterator[Deadline]:
    """Give the block so many seconds; `is_over` says afterwards whether they were up."""
    limit = Deadline(seconds, connections)
    watcher = Thread(target=limit.watch, name="trueup deadline", daemon=True)
    watcher.start()
    try:
        yield limit
    finally:
        limit.ended.set()
        watcher.join()
        if limit.is_over:
            for connection in connections:
                settle(connection)


def settle(connection: Connection) -> None:
    """Let a cancellation that was sent late hit a statement that nobody needs."""
    with contextlib.suppress(psycopg.Error), connection.transaction(force_rollback=True):
        connection.execute("select 1")


def cut(connection: Connection) -> None:
    """Shut the socket of a connection whose server doesn't answer, so that whoever waits for it wakes up."""
    with contextlib.suppress(OSError, psycopg.Error):
        shared = socket.socket(fileno=connection.pgconn.socket)
        try:
            shared.shutdown(socket.SHUT_RDWR)
        finally:
            shared.detach()
