"""What other sessions do to a connection: end it, hold a lock that it wants, deadlock with it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import Any

import psycopg
from psycopg import sql
from psycopg.errors import InsufficientPrivilege, LockNotAvailable

from trueup.conninfo import ConnInfo, Secret
from trueup.db import Connection, connect
from trueup.errors import PermissionMissing, Unverifiable, UsageError
from trueup.testing.guard.gate import gate
from trueup.testing.identity import check_owned

NAME = "trueup fault"
"""Of the sessions, in pg_stat_activity."""
PATIENCE_S = 10.0
POLL_S = 0.002
NOT_NOTICED = (
    "the transaction in the block ended before it had lost, or never looked for a deadlock: it looks once in each wait,"
    " after its deadlock_timeout, which must leave the other session the time to close the circle (1s is the default)"
)
LONGEST_HOLD_MS = 60_000
"""After this the server itself ends a session that holds locks, should its test hang."""
MODES = (
    "access share",
    "row share",
    "row exclusive",
    "share update exclusive",
    "share",
    "share row exclusive",
    "exclusive",
    "access exclusive",
)
Statement = sql.SQL | sql.Composed
Target = str | Statement
"""A table's name, with its schema where it needs one, or a statement that takes a lock."""


def terminate(connection: "psycopg.Connection[Any]", *, server: ConnInfo | None = None) -> None:
    """End the server's side of a connection, as an administrator or a failover does; returns when it is gone.

    The way there is that of the connection itself, or `server`, for a connection over a wire that is dark.

    Raises:
        Unverifiable: it still lives after 10 s.
    """
    pid = connection.info.backend_pid
    with session(server or conninfo_of(connection)) as other:
        found = other.execute("select pg_terminate_backend(%s, %s)", [pid, round(PATIENCE_S * 1000)]).fetchone()
    if found != (True,):
        raise Unverifiable(f"server process {pid} was not ended within {PATIENCE_S:g} s: the fault did not happen")


@contextmanager
def hold_lock(database: ConnInfo, target: Target, *, mode: str = "access exclusive") -> Iterator[None]:
    """Hold a lock in another session as long as the block lasts: all of a table's, or what a statement locks.

    Raises:
        UsageError: the mode is none of PostgreSQL's.
        Unverifiable: somebody else held it for 10 s.
    """
    with session(database) as holder:
        take_lock(holder, target, mode)
        yield


@contextmanager
def deadlock(database: ConnInfo, *, holds: Target, wants: Target) -> Iterator[None]:
    """Let a transaction in the block lose a deadlock, once: it has locked `wants` when it asks for `holds`.

    Another session holds `holds`; as soon as somebody waits for it, it asks for `wants`, which closes the circle. It
    is never the victim, and lets go when the other one has lost, so that another try succeeds. A table is locked
    against writers; to lock less, give a statement that locks rows.

    Raises:
        Unverifiable: there was no deadlock; says what was missing.
        PermissionMissing: only a superuser may choose who loses.
    """
    circle = Circle(wants=wants)
    with session(database) as rival, session(database) as lookout:
        set_rank(rival)
        take_lock(rival, holds, "exclusive")
        thread = threading.Thread(target=circle.close, args=(rival, lookout), name="trueup deadlock", daemon=True)
        thread.start()
        try:
            yield
        finally:
            circle.is_over.set()
            while thread.is_alive():
                rival.cancel_safe(timeout=PATIENCE_S)
                thread.join(0.1)
    if circle.missing:
        raise Unverifiable(f"there was no deadlock: {circle.missing}")


class Circle:
    """Is a deadlock in the making: what its rival still wants, and what it is missing."""

    def __init__(self, *, wants: Target) -> None:
        self.wants = wants
        self.is_over = threading.Event()
        self.missing = "nobody in the block waited for what was held"

    def close(self, rival: Connection, lookout: Connection) -> None:
        """Wait until somebody waits for the rival, let the rival wait for them, and let go when they have lost."""
        with suppress(psycopg.Error):
            while not (waiting := waiters(rival, lookout)):
                if self.is_over.wait(POLL_S):
                    return
            self.missing = NOT_NOTICED
            rival.execute(sql.SQL("set local lock_timeout = {}").format(round(PATIENCE_S * 1000)))
            rival.execute(lock_statement(self.wants, "exclusive"))
            is_still_waiting = waiters(rival, lookout) & waiting
            self.missing = "who waited for what was held had not locked what was wanted" if is_still_waiting else ""
            rival.execute("rollback")


def waiters(rival: Connection, lookout: Connection) -> set[tuple[Any, ...]]:
    """Return the transactions that wait for a session: process, and time of their beginning."""
    query = "select pid, xact_start from pg_stat_activity where %s = any(pg_blocking_pids(pid))"
    return set(lookout.execute(query, [rival.info.backend_pid]).fetchall())


def set_rank(rival: Connection) -> None:
    """Let a session never be the one that loses a deadlock: only who looks for one does."""
    try:
        rival.execute("set deadlock_timeout = '1h'")
    except InsufficientPrivilege as error:
        raise PermissionMissing(
            "only a superuser may choose who loses a deadlock: connect as one, or let one run"
            " `grant set on parameter deadlock_timeout to ROLE`",
            sqlstate=error.sqlstate,
        ) from error


def take_lock(holder: Connection, target: Target, mode: str) -> None:
    """Begin a transaction and lock in it.

    Raises:
        UsageError: the mode is none of PostgreSQL's.
        Unverifiable: somebody else held it for too long.
    """
    statement = lock_statement(target, mode)
    holder.execute("begin")
    holder.execute(sql.SQL("set local lock_timeout = {}").format(round(PATIENCE_S * 1000)))
    try:
        holder.execute(statement)
    except LockNotAvailable as error:
        raise Unverifiable(
            f"somebody else held the lock for {PATIENCE_S:g} s, so the fault did not happen: end the other transaction"
        ) from error
    holder.execute("set local lock_timeout = 0")


def lock_statement(target: Target, mode: str) -> Statement:
    """Return the statement that locks a table, or the statement that was given."""
    if mode not in MODES:
        raise UsageError(f"no lock mode of a table: {mode!r}; there are {', '.join(MODES)}")
    if not isinstance(target, str):
        return target
    return sql.SQL("lock table {} in {} mode").format(sql.Identifier(*target.split(".")), sql.SQL(mode))


@contextmanager
def session(database: ConnInfo) -> Iterator[Connection]:
    """Give a session of a fault's own; the server ends it when it holds locks for too long.

    Raises:
        Refused: a test runs, and tests don't own the database.
    """
    connection = connect(database, application_name=NAME)
    try:
        if gate.is_closed and not gate.is_home(connection.pgconn.socket):
            check_owned(connection)
        for name in ("idle_in_transaction_session_timeout", "statement_timeout"):
            connection.execute(sql.SQL("set {} = {}").format(sql.Identifier(name), LONGEST_HOLD_MS))
        yield connection
    finally:
        with suppress(psycopg.Error):
            connection.execute("rollback")  # so that its locks are free at once, not when the server sees it gone
        connection.close()


def conninfo_of(connection: "psycopg.Connection[Any]") -> ConnInfo:
    """Return how a connection was made, its password included."""
    secrets = {"password": Secret(connection.info.password)} if connection.info.password else {}
    return ConnInfo(MappingProxyType(connection.info.get_parameters()), MappingProxyType(secrets))
