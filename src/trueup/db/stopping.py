"""How what a connection runs is stopped, from another thread."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from trueup.db.connection import Connection

CANCEL_S = 2.0


def cancel(connection: Connection) -> None:
    """Ask the server to give up the statement that the connection runs; without one, nothing happens."""
    with suppress(psycopg.Error):
        connection.cancel_safe(timeout=CANCEL_S)


def cut(connection: Connection) -> None:
    """Shut the socket of a connection whose server doesn't answer, so that whoever waits for it wakes up."""
    with suppress(OSError, psycopg.Error):
        shared = socket.socket(fileno=connection.pgconn.socket)
        try:
            shared.shutdown(socket.SHUT_RDWR)
        finally:
            shared.detach()


def settle(connection: Connection) -> None:
    """Let a cancellation that was sent late hit a statement that nobody needs."""
    with suppress(psycopg.Error), connection.transaction(force_rollback=True):
        connection.execute("select 1")


@contextmanager
def cancelled_on_error(*connections: Connection) -> Iterator[None]:
    """Stop what other threads run on the connections where an error, or the user, ends the block."""
    try:
        yield
    except BaseException:
        for connection in connections:
            cancel(connection)
        raise
