"""Reads rows that differ again and again, until they agree, stay as they are, or never come to rest.

Each time both sides are read in fresh snapshots, the target's first. Between two readings lies a pause; and where the
target is fed by logical replication, the confirmation that it has what the source had.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event

from trueup.conninfo import ConnInfo
from trueup.db import snapshot
from trueup.errors import ConnectionFailed, Disconnected, UsageError
from trueup.parity.data.fence import has_passed, position, slots_between
from trueup.parity.data.lockstep import Lockstep, Side, lockstep
from trueup.parity.data.model import TableComparison
from trueup.parity.data.pairing import TablePair, Unpaired
from trueup.parity.data.watched import MOST_ROWS, Watched

Places = tuple[ConnInfo, ConnInfo]


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
    max_rows: int,
    on_progress: Callable[[Rechecking], None] | None = None,
) -> tuple[TableComparison, ...]:
    """Return the comparisons with only those rows called different that are the same version whenever they are read.

    Rows that agree when they are read again are settled; those that are still different are at most `max_rows` of a
    table in the lists; those that change between any two readings are moving, and so is what is too much to be read,
    and what is left when a server goes away.
    """
    comparisons = tuple(found)
    watched = {
        number: Watched(found=one, pair=pair, max_rows=max_rows)
        for number, (one, pair) in enumerate(zip(comparisons, pairs, strict=True))
        if isinstance(pair, TablePair) and one.differing
    }
    if watched:
        places = source.snapshot.conninfo, target.snapshot.conninfo
        tables = tuple(watched.values())
        try:
            _watch(places, tables, how, on_progress or (lambda _: None))
        except (ConnectionFailed, Disconnected) as error:
            for table in tables:
                table.give_up(str(error))
    return tuple(watched[number].result() if number in watched else one for number, one in enumerate(comparisons))


def _watch(places: Places, tables: Sequence[Watched], how: Recheck, on_progress: Callable[[Rechecking], None]) -> None:
    slots: tuple[str, ...] = ()
    mark, is_fenced = "", False
    for number in range(how.rounds + 1):
        if number:
            on_progress(Rechecking(rows=_pending(tables), round=number, rounds=how.rounds))
            pause(how.seconds)
            is_fenced = not slots or has_passed(*places, slots, mark)
        with now(*places) as both:
            slots = slots_between(both.source, both.target)
            mark = position(both.source) if slots else ""
            left = MOST_ROWS
            for table in tables:
                table.look(both, most=left, is_fenced=is_fenced)
                left -= len(table.pending)
        if not _pending(tables):
            return
    for table in tables:
        table.give_up("" if is_fenced else f"the target never caught up with replication slot {', '.join(slots)}")


def pause(seconds: float) -> None:
    """Let time go by."""
    Event().wait(seconds)


def _pending(tables: Iterable[Watched]) -> int:
    return sum(len(table.pending) for table in tables)


@contextmanager
def now(source: ConnInfo, target: ConnInfo) -> Iterator[Lockstep]:
    """Hold both databases as they are now, the target a moment before the source."""
    with snapshot(target) as there, snapshot(source) as here, lockstep(here, there) as both:
        yield both
