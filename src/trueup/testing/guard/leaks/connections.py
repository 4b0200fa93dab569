"""Connections that were opened and not closed, however they are kept alive: a variable, a cycle, a traceback."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from trueup.testing.guard.gate import Opening, Owner
from trueup.testing.guard.leaks.leak import Leak
from trueup.testing.guard.leaks.pools import is_pooled

ACTIVE = 1
STATES = {0: "", 1: ", in the middle of a statement", 2: ", idle in a transaction", 3: ", in a failed transaction"}
"""By `psycopg.pq.TransactionStatus`; other drivers don't tell."""


def left_open(owner: Owner) -> Iterator[Leak]:
    """Yield what is still connected and belongs to no pool."""
    for opening in owner.opened:
        if opening.kind != "connection":
            continue
        connection = opening.thing()
        if connection is not None and is_open(connection) and not is_pooled(connection):
            yield leak_of(opening, connection)


def leak_of(opening: Opening, connection: Any) -> Leak:
    """Return a connection that was left open."""
    return Leak(
        kind="connection",
        what=f"a connection is still open{STATES.get(status_of(connection), '')}",
        stack=opening.stack,
        end=partial(end, connection),
    )


def is_open(connection: Any) -> bool:
    """Return whether a connection of any driver is open."""
    if hasattr(connection, "is_closed"):
        return not connection.is_closed()
    if hasattr(connection, "closed"):
        return not connection.closed
    if hasattr(connection, "_usock"):
        return connection._usock is not None  # noqa: SLF001  pg8000 tells in no other way.
    return bool(connection.status == 0)


def status_of(connection: Any) -> int:
    """Return what a connection does, as a number of `STATES`; 0 where the driver doesn't tell."""
    login = getattr(connection, "pgconn", connection)
    told = login if hasattr(login, "transaction_status") else getattr(login, "info", None)
    return int(getattr(told, "transaction_status", 0))


def end(connection: Any) -> None:
    """End a connection under whoever still uses it, a thread or a loop that is gone: the server ends its session."""
    if hasattr(connection, "terminate"):
        with suppress(RuntimeError):  # Its loop is closed.
            connection.terminate()
        return
    is_at_work = status_of(connection) == ACTIVE
    login = getattr(connection, "pgconn", connection)
    if is_at_work:  # The server would not look for its client before the statement is done.
        with suppress(Exception):
            login.get_cancel().cancel() if hasattr(login, "get_cancel") else login.cancel()
    with suppress(Exception), socket.socket(fileno=os.dup(number_of(login))) as stream:
        stream.shutdown(socket.SHUT_RDWR)
    if not is_at_work:  # Nobody waits for its socket.
        with suppress(Exception):
            login.finish() if hasattr(login, "finish") else login.close()


def number_of(login: Any) -> int:
    """Return the descriptor of a connection's socket."""
    if hasattr(login, "socket"):
        return int(login.socket)
    return int(login._usock.fileno() if hasattr(login, "_usock") else login.fileno())  # noqa: SLF001  As above.
