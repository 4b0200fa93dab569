"""How a connection is opened in time, also when the server or the network is away for a while."""

import socket
from time import monotonic

import psycopg
from psycopg import pq

from trueup.db.parameters import parameters
from trueup.db.pooled import PooledConnection
from trueup.db.readiness import is_ready
from trueup.db.refusals import refused
from trueup.errors import ConnectionFailed, DatabaseError
from trueup.settings import DatabaseSettings

PROBE_AFTER_S = 1.0
"""How long a login may stay without an answer before the server itself is probed."""
PROBE_S = 0.4
FIRST_S = 1.0
"""How long the first statements of a new connection may take."""
SSL_REQUEST = bytes.fromhex("0000000804d2162f")


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
        raise refused(conninfo, problem)
    login.nonblocking = 1
    connection = PooledConnection(login)
    connection.autocommit = True
    connection.usual_timeout_s = connection.timeout_s = settings.statement_timeout_s
    if settings.pooler:
        connection.prepare_threshold = None
        connection.is_pooled = True
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


def limit_transactions(connection: PooledConnection, limit_s: float) -> None:
    """Set the timeout that can't travel with the login, because servers before 17 would refuse it.

    Raises:
        ConnectionFailed: the connection broke meanwhile.
    """
    if connection.pgconn.server_version < 170000:
        return
    try:
        connection.execute(f"set transaction_timeout = {round(limit_s * 1000)}".encode(), prepare=False)
    except (psycopg.Error, DatabaseError) as error:
        message = "the new connection broke at its first statement"
        raise ConnectionFailed(message) from error
    connection.refresh()
