"""Reads rows that differ again and again, until they agree, stay as they are, or never come to rest.

Each time both sides are read in fresh snapshots, the target's first. Between two readings lies a pause; and where the
target is fed by logical replication, the confirmation that it has what the source had.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from threading import Event
from time import monotonic

from trueup.conninfo import ConnInfo
from trueup.db import snapshot
from trueup.errors import ConnectionFailed, Disconnected, UsageError
from trueup.parity.data.limits.bounds import USUAL, Bounds
from trueup.parity.data.limits.halt import halting
from trueup.parity.data.model import TableComparison
from trueup.parity.data.moving.fence import PATIENCE_S, has_passed, position, slots_between
from trueup.parity.data.moving.watched import MOST_ROWS, Watched
from trueup.parity.data.pairing.pairs import TablePair, Unpaired
from trueup.parity.data.sides.lockstep import Lockstep, Side, lockstep

Places = tuple[ConnInfo, ConnInfo]
Session = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recheck:
    """Is how rows that differ are read again.

    Raises:
        UsageError: the pause is not above 0.
    """

    seconds: float
    """The pause. Without logical replication between the sides, longer than the target ever lags."""
    rounds: int = 10
    """So many pauses at most."""

    def __post_init__(self) -> None:
        if not 0 < self.seconds < float("inf"):
            raise UsageError(f"the pause of a recheck is {self.seconds:g} s; it has to be above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rechecking:
    """Says that rows are about to be read again."""

    rows: int
    round: int
    rounds: int

    def __str__(self) -> str:
        rows = f"{self.rows:,} row{'s' if self.rows != 1 else ''} that differ{'' if self.rows != 1 else 's'}"
        return f"waiting, then reading {rows} again (at most {self.rounds} times; this is number {self.round})"


def read_again(
    source: Side,
    target: Side,
    pairs: Iterable[TablePair | Unpaired],
    found: Iterable[TableComparison],
    how: Recheck,
    *,
    bounds: Bounds = USUAL,
    on_progress: Callable[[Rechecking], None] | None = None,
) -> tuple[TableComparison, ...]:
    """Return the comparisons with only those rows called different that are the same version whenever they are read.

    Rows that agree when they are read again are settled; those that change between any two readings are moving, and so
    is what is too much to be read, and what is left when the time is up or a server goes away.
    """
    comparisons = tuple(found)
    watched = {
        number: Watched(found=one, pair=pair, max_rows=bounds.max_rows)
        for number, (one, pair) in enumerate(zip(comparisons, pairs, strict=True))
        if isinstance(pair, TablePair) and one.differing
    }
    places = source.snapshot.conninfo, target.snapshot.conninfo
    watch = Watch(places=places, tables=tuple(watched.values()), how=how, bounds=bounds)
    if watched:
        watch.run(on_progress or (lambda _: None))
    return tuple(watched[number].result() if number in watched else one for number, one in enumerate(comparisons))


@dataclass(slots=True, kw_only=True)
class Watch:
    """Is the reading, again and again, of rows that differed."""

    places: Places
    tables: Sequence[Watched]
    how: Recheck
    bounds: Bounds
    slots: tuple[str, ...] = ()
    """Through which the target is fed."""
    mark: str = ""
    """How far the source's log was at the last reading."""
    is_fenced: bool = False
    """Whether the target has come as far since."""
    until: float = field(init=False)
    """On the clock of `monotonic`."""

    def __post_init__(self) -> None:
        seconds = self.bounds.max_seconds
        self.until = monotonic() + seconds if seconds else inf

    def run(self, on_progress: Callable[[Rechecking], None]) -> None:
        """Read until nothing may be on its way, or there is no point in going on."""
        try:
            self._look()
            for number in range(1, self.how.rounds + 1):
                if not self.pending:
                    return
                if self._left() < self.how.seconds:
                    self._give_up("there was no time left for another pause of the recheck")
                    return
                on_progress(Rechecking(rows=self.pending, round=number, rounds=self.how.rounds))
                pause(self.how.seconds)
                patience_s = min(PATIENCE_S, self._left())
                self.is_fenced = not self.slots or has_passed(
                    *self.places, self.slots, self.mark, patience_s=patience_s
                )
                self._look()
        except (ConnectionFailed, Disconnected) as error:
            self._give_up(str(error))
        if not self.is_fenced and self.slots:
            self._give_up(f"the target never caught up with replication slot {', '.join(self.slots)}")

    @property
    def pending(self) -> int:
        """Return how many rows may be on their way."""
        return sum(len(table.pending) for table in self.tables)

    def _look(self) -> None:
        with (
            now(*self.places, session=self.bounds.session) as both,
            halting(self._left() if self.until < inf else None, both),
        ):
            self.slots = slots_between(both.source, both.target)
            self.mark = position(both.source) if self.slots else ""
            left = MOST_ROWS
            for table in self.tables:
                table.look(both, most=left, is_fenced=self.is_fenced)
                left -= len(table.pending)

    def _left(self) -> float:
        """Return how many seconds are left."""
        return max(0.0, self.until - monotonic())

    def _give_up(self, reason: str) -> None:
        for table in self.tables:
            table.give_up(reason)


def pause(seconds: float) -> None:
    """Let time go by."""
    Event().wait(seconds)


@contextmanager
def now(source: ConnInfo, target: ConnInfo, *, session: Session = ()) -> Iterator[Lockstep]:
    """Hold both databases as they are now, the target a moment before the source.

    Raises:
        ConnectionFailed: one of them can't be reached.
    """
    with snapshot(target) as there, snapshot(source) as here, lockstep(here, there, session=session) as both:
        yield both
