"""What a run looks at: one database, or two of which the first is the truth."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from trueup.conninfo import ConnInfo
from trueup.db import Connection, snapshot
from trueup.errors import Unverifiable
from trueup.parity.data import USUAL, Bounds, Side
from trueup.parity.schema import Profile, apart_from, catalog
from trueup.report import model
from trueup.settings import Settings
from trueup.verify.pair import Pair, describe, open_pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Is what every check looks at, each database held in one snapshot."""

    source: Side | None
    """The truth; None: the target is looked at alone."""
    target: Side
    settings: Settings
    profile: Profile | None = None
    """What the host adds, which the structures here are without."""
    backup: Path | None = None
    """The dump that is to be a copy of the target."""
    may_probe: bool = False
    """Whether a marked row may be written to the target, and rolled back."""
    passed: frozenset[str] = frozenset()
    """The checks of this run that have passed before this one."""
    deadline_s: float = 600.0
    """How long the check at work may take."""
    bounds: Bounds = USUAL
    """What comparing rows may cost."""

    @property
    def pair(self) -> Pair:
        """Return both sides.

        Raises:
            Unverifiable: there is only one.
        """
        if self.source is None:
            raise Unverifiable("no source is named: there is nothing to hold the target against")
        return Pair(source=self.source, target=self.target)

    @property
    def sides(self) -> Mapping[str, Side]:
        """Return each side by its role."""
        return {"target": self.target} if self.source is None else {"source": self.source, "target": self.target}

    @property
    def described(self) -> tuple[model.Side, ...]:
        """Return each side as a report names it."""
        return tuple(describe(role, side.snapshot) for role, side in self.sides.items())

    @property
    def connections(self) -> tuple[Connection, ...]:
        """Return the connection of each side."""
        return tuple(side.snapshot.connection for side in self.sides.values())

    @property
    def conninfo(self) -> ConnInfo:
        """Return how to connect to the target."""
        return self.target.snapshot.conninfo


@contextmanager
def open_subject(
    source: ConnInfo | None,
    target: ConnInfo,
    *,
    settings: Settings,
    profile: Profile | None = None,
    backup: Path | None = None,
    may_probe: bool = False,
    bounds: Bounds = USUAL,
) -> Iterator[Subject]:
    """Hold the databases still and read their structure; leave out what the profile of their host names.

    Raises:
        ConnectionFailed: one of them can't be reached.
        Refused: they are the same database.
    """
    with ExitStack() as stack:
        if source is None:
            held = stack.enter_context(snapshot(target))
            found = catalog(held)
            first, second = None, Side(snapshot=held, catalog=apart_from(profile, found, found)[1])
        else:
            pair = stack.enter_context(open_pair(source, target, profile=profile))
            first, second = pair.source, pair.target
        yield Subject(
            source=first,
            target=second,
            settings=settings,
            profile=profile,
            backup=backup,
            may_probe=may_probe,
            bounds=bounds,
        )
