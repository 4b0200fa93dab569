"""Whether a server has so much other work that a gentle comparison leaves it alone."""

from collections.abc import Callable, Sequence
from functools import partial

from trueup.db import Snapshot
from trueup.parity.data.sides.lockstep import Lockstep

READINGS = 3
"""A moment of much work is none yet: so many in a row are."""
AGAIN_S = 1.0

ACTIVE = """
select count(*)
  from pg_stat_activity a
 where a.pid <> all(%s)
   and (a.state = 'active' and a.backend_type = 'client backend'
        or a.backend_type is null
           and exists (select from pg_locks l where l.pid = a.pid and l.locktype = 'virtualxid' and l.granted))
"""
"""Without pg_monitor, the state of others is hidden, and their lock on their own transaction is not."""


def active_connections(snapshot: Snapshot, ours: Sequence[int]) -> int:
    """Return how many connections the server works for at this moment, beside those of these processes."""
    snapshot.rows("select pg_stat_clear_snapshot()")
    [(found,)] = snapshot.rows(ACTIVE, [list(ours)])
    return int(found)


def busy(both: Lockstep, limit: int, pause: Callable[[float], None]) -> str:
    """Return which server works for more connections than the limit, in words; empty where none does for long."""
    said = ""
    for reading in range(READINGS):
        if reading:
            pause(AGAIN_S)
        if not (said := _pressed(both, limit)):
            return ""
    return said


def _pressed(both: Lockstep, limit: int) -> str:
    # Both may be databases of one server.
    ours = [side.connection.info.backend_pid for side in (both.source, both.target)]
    active = both.run(partial(active_connections, ours=ours), partial(active_connections, ours=ours))
    return "; ".join(
        f"{found} other connections are at work on {snapshot.conninfo}, more than the {limit} of --max-active"
        for found, snapshot in zip(active, (both.source, both.target), strict=True)
        if found > limit
    )
