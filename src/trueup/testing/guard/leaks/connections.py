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
    login = getattr(connection, "pgconn", connection)
    state = STATES.get(int(getattr(login, "transaction_status", 0)), "")
    return Leak(
        kind="connection",
        what=f"a connection is still open{state}",
        stack=opening.stack,
        end=partial(end, connection),
    )


def is_open(connection: Any) -> bool:
    """Return whether a connection of any driver is open."""
    if hasattr(connection, "is_closed"):
        return not connection.is_closed()
    if hasattr(connection, "closed"):
        return not connection.closed
    return bool(connection.status == 0)


def end(connection: Any) -> None:
    """End a connection under whoever still uses it, a thread or a loop that is gone: the server ends its session."""
    if hasattr(connection, "terminate"):
        with suppress(RuntimeError):  # Its loop is closed.
            connection.terminate()
        return
    login = getattr(connection, "pgconn", connection)
    is_at_work = int(login.transaction_status) == ACTIVE
    if is_at_work:  # The server would not look for its client before the statement is done.
        with suppress(Exception):
            login.get_cancel().cancel()
    with suppress(Exception), socket.socket(fileno=os.dup(login.socket)) as stream:
        stream.shutdown(socket.SHUT_RDWR)
    if not is_at_work:  # Nobody waits for its socket.
        login.finish()
