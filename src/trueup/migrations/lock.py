"""One runner at a time for one database."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from time import monotonic

from trueup.db.connection import Connection
from trueup.errors import Refused

LOCK_KEY = 48372615
"""The key that `dbmate --migration-lock` takes, so that either waits for the other."""

POLL_INTERVAL_S = 0.1


@contextmanager
def migration_lock(connection: Connection, *, timeout_s: float) -> Iterator[int]:
    """Hold the database's migration lock; gives the id of the server process that holds it.

    The lock belongs to the server's session. A pooler in transaction mode may change the session between two
    transactions: connect directly, or through a pooler in session mode.

    It is asked for again and again instead of waited for in one statement: that statement's snapshot would make
    another runner's `create index concurrently` wait for this one, and this one for that.

    Raises:
        Refused: another runner still held it after `timeout_s`.
    """
    deadline = monotonic() + timeout_s
    while not try_lock(connection):
        if monotonic() >= deadline:
            raise Refused(
                f"another runner holds this database's migration lock, after {timeout_s:g} s of waiting:"
                f" {name_holder(connection)}; try again when it is done, or end it"
            )
        Event().wait(POLL_INTERVAL_S)
    try:
        yield find_session(connection)
    finally:
        if not connection.closed:
            connection.execute("select pg_catalog.pg_advisory_unlock(%s)", [LOCK_KEY])


def try_lock(connection: Connection) -> bool:
    """Take the lock if it is free."""
    row = connection.execute("select pg_catalog.pg_try_advisory_lock(%s)", [LOCK_KEY]).fetchone()
    assert row
    return bool(row[0])


def find_session(connection: Connection) -> int:
    """Return the id of the server process that answers."""
    row = connection.execute("select pg_catalog.pg_backend_pid()").fetchone()
    assert row
    return int(row[0])


def name_holder(connection: Connection) -> str:
    """Return who holds the lock, for people."""
    row = connection.execute(
        "select a.pid, a.application_name, date_trunc('second', clock_timestamp() - a.backend_start)::text"
        " from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a using (pid)"
        " where l.locktype = 'advisory' and l.granted and l.classid = 0 and l.objid = %s and l.objsubid = 1"
        " and l.database = (select oid from pg_catalog.pg_database where datname = current_database())",
        [LOCK_KEY],
    ).fetchone()
    return f"server process {row[0]}, application {row[1]!r}, connected for {row[2]}" if row else "it has just let go"
