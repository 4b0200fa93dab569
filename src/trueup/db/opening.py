"""How a connection of the pool is opened and closed: in time, and so that the server's slot is known to be free."""

import os
import socket
from ipaddress import ip_address
from select import POLLIN, POLLOUT, poll
from time import monotonic

import psycopg
from psycopg import pq

from trueup.conninfo import ConnInfo
from trueup.db.connection import refusal
from trueup.db.pooled import PooledConnection
from trueup.errors import ConnectionFailed
from trueup.settings import DatabaseSettings

PROBE_AFTER_S = 1.0
"""How long a login may stay without an answer before the server itself is probed."""
PROBE_S = 0.4
CANCEL_S = 1.0
SSL_REQUEST = bytes.fromhex("0000000804d2162f")


def parameters(settings: DatabaseSettings) -> ConnInfo:
    """Return the connection string with the defaults of the runtime where it says nothing.

    TLS is verified in full off loopback. The timeouts travel with the login, so that they cost no round trip and are
    what a reset goes back to; a pooler can't keep them, so there each transaction sets them.
    """
    given = settings.conninfo.parameters
    whole = {
        "application_name": f"{settings.service}:{os.getpid()}",
        "connect_timeout": str(max(1, round(settings.connect_timeout_s))),
        **network_defaults(settings.network_timeout_s),
        **({"sslmode": "verify-full"} if is_remote(settings.conninfo) else {}),
        **given,
    }
    if not settings.pooler:
        limits = " ".join(f"-c {name}={value}" for name, value in timeouts(settings).items())
        whole["options"] = f"{limits} {given.get('options', '')}".strip()
    return settings.conninfo.with_parameters(**whole)


def timeouts(settings: DatabaseSettings) -> dict[str, int]:
    """Return the server's timeouts, in milliseconds, that every supported version knows."""
    return {
        "statement_timeout": round(settings.statement_timeout_s * 1000),
        "lock_timeout": round(settings.lock_timeout_s * 1000),
        "idle_in_transaction_session_timeout": round(settings.idle_in_transaction_timeout_s * 1000),
    }


def network_defaults(limit_s: float) -> dict[str, str]:
    """Return keepalives for a silent peer and a user timeout for unacknowledged data: either alone leaves a hole."""
    return {
        "keepalives_idle": str(max(1, round(limit_s / 2))),
        "keepalives_interval": str(max(1, round(limit_s / 4))),
        "keepalives_count": "2",
        "tcp_user_timeout": str(round(limit_s * 1000)),
    }


def is_remote(conninfo: ConnInfo) -> bool:
    """Return whether a host is named that is neither loopback nor a socket folder."""
    given = conninfo.parameters
    named = given.get("hostaddr") or given.get("host", "")
    return any(not is_loopback(host) for host in named.split(",") if host)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine by its mere name."""
    if host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def open_connection(settings: DatabaseSettings) -> PooledConnection:
    """Log in, in autocommit mode.

    Raises:
        ConnectionFailed: refused, unreachable, or no answer within `connect_timeout_s`.
    """
    conninfo = parameters(settings)
    login = pq.PGconn.connect_start(conninfo.reveal().encode())
    problem = follow(login, monotonic() + settings.connect_timeout_s)
    if problem is not None:
        login.finish()
        raise refusal(conninfo, problem)
    login.nonblocking = 1
    connection = PooledConnection(login)
    connection.autocommit = True
    connection.usual_timeout_s = connection.timeout_s = settings.statement_timeout_s
    if settings.pooler:
        connection.prepare_threshold = None
    return connection


def follow(login: pq.abc.PGconn, deadline: float) -> str | None:
    """Drive a login to its end and return what went wrong, None if nothing did.

    A server that was dark when the login began may have lost its packets: once it answers a probe again, the login is
    given up at once instead of at its deadline.
    """
    was_dark = False
    probe_at = monotonic() + PROBE_AFTER_S
    while login.status != pq.ConnStatus.BAD:
        state = login.connect_poll()
        if state == pq.PollingStatus.OK:
            return None
        if state == pq.PollingStatus.FAILED:
            break
        while not is_ready(login.socket, state, min(deadline, probe_at)):
            if monotonic() >= deadline:
                return "timeout expired"
            if probe_at != deadline:
                answers = is_answering(login)
                if answers and was_dark:
                    return "timeout expired: the server came back meanwhile"
                was_dark = not answers
                probe_at = monotonic() + PROBE_S / 2 if was_dark else deadline
    return login.get_error_message()


def is_ready(descriptor: int, state: int, until: float) -> bool:
    """Return whether the socket has what the login waits for, before the moment `until`."""
    poller = poll()
    poller.register(descriptor, POLLIN if state == pq.PollingStatus.READING else POLLOUT)
    return bool(poller.poll(max(0.0, until - monotonic()) * 1000))


def is_answering(login: pq.abc.PGconn) -> bool:
    """Return whether the server answers a first packet: that takes none of its slots, as a login would.

    Source: PostgreSQL manual, "Message Flow", SSL session encryption.
    """
    host = (login.hostaddr or login.host).decode()
    try:
        with reach(host, int(login.port or b"5432")) as probe:
            probe.sendall(SSL_REQUEST)
            return bool(probe.recv(1))
    except OSError:
        return False


def reach(host: str, port: int) -> socket.socket:
    """Return a socket that is connected to the server, by TCP or in a folder."""
    if not host.startswith("/"):
        return socket.create_connection((host, port), timeout=PROBE_S)
    found = socket.socket(socket.AF_UNIX)
    try:
        found.settimeout(PROBE_S)
        found.connect(f"{host}/.s.PGSQL.{port}")
    except OSError:
        found.close()
        raise
    return found


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
        while (state := order.poll()) in {pq.PollingStatus.READING, pq.PollingStatus.WRITING}:
            if not is_ready(order.socket, state, deadline):
                break
        order.finish()
    except psycopg.Error:
        return


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


def is_final(error: ConnectionFailed) -> bool:
    """Return whether trying again can't help: the login, the database or the certificate is wrong."""
    words = ("authentication failed", "no password supplied", "does not exist", "pg_hba.conf", "certificate")
    return any(word in str(error) for word in words) and "No such file" not in str(error)
