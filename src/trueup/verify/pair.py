"""The two databases of a run, each held in one snapshot."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from trueup.conninfo import ConnInfo
from trueup.db import Snapshot, snapshot
from trueup.db.stopping import cancelled_on_error
from trueup.db.together import together
from trueup.errors import Refused
from trueup.parity.data import Side
from trueup.parity.schema import Catalog, Profile, apart_from, catalog
from trueup.report import model


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Is what every check looks at: the source is the truth, the target is held against it."""

    source: Side
    target: Side

    @property
    def sides(self) -> tuple[model.Side, ...]:
        """Return both sides as a report names them."""
        return describe("source", self.source.snapshot), describe("target", self.target.snapshot)


def describe(role: str, held: Snapshot) -> model.Side:
    """Return one side as a report names it."""
    major, minor = divmod(held.server_version, 10000)
    return model.Side(
        role=role,
        name=str(held.conninfo),
        server=f"PostgreSQL {major}.{minor}",
        database=held.database,
        user=held.user,
    )


@contextmanager
def open_pair(
    source: ConnInfo,
    target: ConnInfo,
    *,
    profile: Profile | None = None,
    read: Callable[[Snapshot], Catalog] = catalog,
) -> Iterator[Pair]:
    """Hold both databases still and read their structure, both at once; leave out what the profile names.

    `read` is `row_catalog` where rows alone are looked at.

    Raises:
        ConnectionFailed: one of them can't be reached.
        Refused: they are the same database.
    """
    with together(snapshot(source), snapshot(target)) as (held_source, held_target):
        if held_source.identity == held_target.identity:
            raise Refused(
                f"source and target are the same database ({held_target.conninfo}): it equals itself, so that comparing"
                " would prove nothing; name two databases"
            )
        with (
            ThreadPoolExecutor(max_workers=2) as executor,
            cancelled_on_error(held_source.connection, held_target.connection),
        ):
            mine, theirs = apart_from(profile, *executor.map(read, (held_source, held_target)))
        yield Pair(
            source=Side(snapshot=held_source, catalog=mine),
            target=Side(snapshot=held_target, catalog=theirs),
        )


@contextmanager
def renewed(pair: Pair) -> Iterator[Pair]:
    """Hold both databases as they are now, the target a moment before the source; their structure is not read again.

    Raises:
        ConnectionFailed: one of them can't be reached.
    """
    with snapshot(pair.target.snapshot.conninfo) as target, snapshot(pair.source.snapshot.conninfo) as source:
        yield Pair(source=replace(pair.source, snapshot=source), target=replace(pair.target, snapshot=target))
