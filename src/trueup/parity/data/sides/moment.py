"""Which databases two snapshots are of, and whether anybody has written to them between two moments."""

from dataclasses import dataclass

from trueup.db import Snapshot
from trueup.parity.data.sides.lockstep import Lockstep

MOMENT = """
select concat_ws('/', (select system_identifier from pg_control_system()), d.oid), pg_current_snapshot()::text
  from pg_database d
 where d.datname = current_database()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Is one database at one moment."""

    name: str
    """As people know it, without a password."""
    database: str
    """Stays the same when the server is started again."""
    snapshot: str
    """Which transactions can be seen. It is the same at two moments only where nobody has written in between, to any
    database of the server: whoever writes has a transaction of his own."""


Moments = tuple[Moment, Moment]
"""Of source and target."""


def moments(both: Lockstep) -> Moments:
    """Return what both snapshots are of."""
    return both.run(_moment, _moment)


def _moment(snapshot: Snapshot) -> Moment:
    [(database, seen)] = snapshot.rows(MOMENT)
    return Moment(name=str(snapshot.conninfo), database=database, snapshot=seen)
