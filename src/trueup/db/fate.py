"""What became of a transaction whose COMMIT got no answer, found out by its number on another connection.

Source: PostgreSQL manual, pg_xact_status(): "whether a transaction committed or aborted after the server was
disconnected while a COMMIT was in progress".
"""

from enum import Enum
from threading import Event
from time import monotonic

import psycopg
from psycopg.errors import InvalidParameterValue

from trueup.db.parting import LEFT_ALONE_S, end_transaction
from trueup.db.pool import Pool
from trueup.db.pooled import PooledConnection
from trueup.errors import DatabaseError, UsageError


class Fate(Enum):
    """Is what became of a transaction."""

    COMMITTED = "committed"
    ROLLED_BACK = "rolled back"
    UNKNOWN = "unknown"


def find_fate(pool: Pool, xid: int, server_started: str) -> Fate:
    """Ask until there is an answer, for as long as a checkout may take."""
    lost_at = monotonic()
    deadline = lost_at + pool.settings.checkout_timeout_s
    pause = Event()
    while monotonic() < deadline:
        try:
            connection = pool.take(deadline, first=True)
        except (DatabaseError, UsageError):
            return Fate.UNKNOWN
        try:
            fate = ask(connection, xid, server_started)
            if fate is None and monotonic() - lost_at > LEFT_ALONE_S:
                end_transaction(connection, xid, monotonic() - lost_at)
        except (psycopg.Error, DatabaseError):
            fate = None
        finally:
            pool.give_back(connection)
        if fate is not None:
            return fate
        pause.wait(0.02)
    return Fate.UNKNOWN


def ask(connection: PooledConnection, xid: int, server_started: str) -> Fate | None:
    """Return what the server knows; None while the transaction is in progress."""
    try:
        found = connection.execute(
            "select pg_xact_status(%s::text::xid8), extract(epoch from pg_postmaster_start_time()) = %s::text::numeric",
            (str(xid), server_started),
        ).fetchone()
    except InvalidParameterValue:
        return Fate.ROLLED_BACK  # The server never heard of it: a crash took it before anything reached the disk.
    status, is_same_server = found or (None, None)
    if status == "committed" and not is_same_server and was_forgotten(connection, xid):
        return Fate.ROLLED_BACK
    return {
        "committed": Fate.COMMITTED,
        "aborted": Fate.ROLLED_BACK,
        "in progress": None,
        None: Fate.UNKNOWN,
    }[status]


def was_forgotten(connection: PooledConnection, xid: int) -> bool:
    """Return whether the server, when it restarted, didn't know of the number: then another transaction has it now.

    A number whose first record had not reached the disk before a crash is given out again. The checkpoint at the end
    of a recovery says which number came next.
    """
    found = connection.execute("select next_xid from pg_control_checkpoint()").fetchone()
    epoch, number = str(found[0] if found else "0:0").split(":")
    return xid >= int(epoch) << 32 | int(number)
