"""Whether a replica has what its source had at a moment, as far as logical replication tells."""

from collections.abc import Sequence
from threading import Event
from time import monotonic

from trueup.conninfo import ConnInfo
from trueup.db import Snapshot, connect, named_errors
from trueup.errors import Disconnected, Unverifiable
from trueup.parity.data.sides.lockstep import savepoint, unverifiable

PATIENCE_S = 60.0
"""An idle source may take a quarter of it to write out the last bytes of its log."""
POLL_S = 0.05


def slots_between(source: Snapshot, target: Snapshot) -> tuple[str, ...]:
    """Return the replication slots of the source from which subscriptions of the target are fed; none is not unusual.

    Raises:
        Disconnected: a server went away.
    """
    try:
        with savepoint(target), unverifiable(target):
            names = target.rows(
                "select subslotname::text from pg_subscription where subenabled and subslotname is not null"
                " and subdbid = (select oid from pg_database where datname = current_database())"
            )
        with savepoint(source), unverifiable(source):
            known = source.rows(
                "select slot_name::text from pg_replication_slots where slot_type = 'logical'"
                " and database = current_database() and slot_name = any(%s) order by 1",
                [[name for (name,) in names]],
            )
    except Disconnected:
        raise
    except Unverifiable:
        return ()
    return tuple(name for (name,) in known)


def position(source: Snapshot) -> str:
    """Return how far the source's log is: all that the snapshot sees was committed before."""
    [(found,)] = source.rows(
        "select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end::text"
    )
    return str(found)


def lag_bytes(source: Snapshot, slots: Sequence[str]) -> int | None:
    """Return how much of the source's log the target has not applied, or not confirmed; None without a slot."""
    [(found,)] = source.rows(
        "select max(pg_wal_lsn_diff(%s::pg_lsn, confirmed_flush_lsn)) from pg_replication_slots"
        " where slot_name = any(%s)",
        [position(source), list(slots)],
    )
    return None if found is None else max(0, int(found))


def has_passed(
    source: ConnInfo,
    target: ConnInfo,
    slots: Sequence[str],
    mark: str,
    *,
    patience_s: float = PATIENCE_S,
) -> bool:
    """Wait until the target has applied and flushed the source's log up to a mark; return whether it has in time.

    A table whose first copy has not ended keeps it from being so.

    Raises:
        ConnectionFailed, Disconnected: a server went away.
    """
    until = monotonic() + patience_s
    with connect(source) as here, connect(target) as there:
        while True:
            with named_errors(source):
                behind = here.execute(
                    "select count(*) from pg_replication_slots"
                    " where slot_name = any(%s) and confirmed_flush_lsn >= %s::pg_lsn",
                    [list(slots), mark],
                ).fetchone() != (len(slots),)
            with named_errors(target):
                [is_copying] = there.execute(
                    "select exists (select from pg_subscription_rel where srsubstate <> 'r' and srsubid in"
                    " (select oid from pg_subscription where subslotname = any(%s)))",
                    [list(slots)],
                ).fetchone() or [True]
            if not behind and not is_copying:
                return True
            if monotonic() > until:
                return False
            Event().wait(POLL_S)
