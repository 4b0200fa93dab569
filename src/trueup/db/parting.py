"""How a connection is closed so that its slot on the server is known to be free, or at least freed."""

import os
import socket
from time import monotonic

import psycopg
from psycopg import pq

from trueup.db.opening import FIRST_S
from trueup.db.pooled import PooledConnection
from trueup.db.readiness import WAITING, is_ready
from trueup.errors import DatabaseError

CANCEL_S = 1.0
LEFT_ALONE_S = 0.5
"""How long a backend without a client may take to finish what it does, COMMIT above all, before it is ended."""


def leave(connection: PooledConnection) -> socket.socket | None:
    """Close a connection and return a socket that ends when its backend has; None when it has ended already.

    The server's process closes its end when it exits and not before, so the end of the stream says that the slot is
    free (src/backend/libpq/pqcomm.c, "synchronous close").
    """
    try:
        witness = socket.socket(fileno=os.dup(connection.pgconn.socket))
    except Exception:  # noqa: BLE001
        connection.close()
        return None
    connection.close()
    return None if has_ended(witness, 0.0) else witness


def has_ended(witness: socket.socket, timeout_s: float) -> bool:
    """Wait for the end of a stream for at most `timeout_s`, and close it if it came."""
    deadline = monotonic() + timeout_s
    while True:
        witness.settimeout(max(0.0, deadline - monotonic()))
        try:
            if witness.recv(8192):
                continue
        except (TimeoutError, BlockingIOError):
            return False
        except OSError:
            pass
        witness.close()
        return True


def order_cancel(connection: PooledConnection) -> pq.abc.PGcancelConn | None:
    """Return what can still cancel the connection's statement when the connection itself is gone."""
    try:
        order = connection.pgconn.cancel_conn()
        order.start()
    except psycopg.Error:
        return None
    return order


def cancel(order: pq.abc.PGcancelConn) -> None:
    """Deliver a cancellation, or give up after a second."""
    deadline = monotonic() + CANCEL_S
    try:
        while (state := order.poll()) in WAITING:
            if not is_ready(order.socket, state, deadline):
                break
        order.finish()
    except psycopg.Error:
        return


def end_backends(connection: PooledConnection, lost: list[tuple[int, float]]) -> None:
    """Ask the server to end backends that were left without a goodbye: they hold slots and locks for nobody.

    Only a backend of the same role and application name that began before it was lost is meant: a process id is used
    again.
    """
    now = monotonic()
    connection.timeout_s = FIRST_S
    try:
        connection.execute(
            "select pg_terminate_backend(a.pid) from pg_stat_activity a"
            " join unnest(%s::int[], %s::float8[]) as lost (pid, age_s) on lost.pid = a.pid"
            " where a.pid <> pg_backend_pid() and a.usename = current_user"
            " and a.application_name = current_setting('application_name')"
            " and a.backend_start < clock_timestamp() - make_interval(secs => lost.age_s)",
            ([pid for pid, _ in lost], [now - at for _, at in lost]),
        )
    except (psycopg.Error, DatabaseError):
        return
    connection.refresh()


def end_transaction(connection: PooledConnection, xid: int, age_s: float) -> None:
    """Ask the server to end the backend in which a transaction of this role runs that was lost so long ago.

    Behind a pooler nobody knows its process, and the process may serve another client by now: the number is the
    transaction's alone.
    """
    connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where backend_xid = %s::text::xid8::xid and usename = current_user"
        " and xact_start < clock_timestamp() - make_interval(secs => %s::float8)",
        (str(xid), age_s),
        prepare=False,
    )
