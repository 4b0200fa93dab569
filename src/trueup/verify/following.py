"""Compares two databases until no row differs, and says when that was.

What differed is read again alone, which costs little; when it agrees, all rows are, for the answer is about all.
"""

import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import inf
from time import monotonic
from typing import Any

from trueup.errors import Disconnected, Unverifiable, UsageError
from trueup.parity.data import ALL_OF_IT, Bounds, Key, TableComparison, TablePair, Unpaired, Window, compare
from trueup.parity.data.comparison import compare_table, matched
from trueup.parity.data.moving.fence import lag_bytes, slots_between
from trueup.parity.data.moving.recheck import Places, now, pause
from trueup.parity.data.reading.rereading import sightings
from trueup.parity.data.sides.lockstep import Lockstep, lockstep
from trueup.report.model import Finding, Section, Severity, Verdict, left_open
from trueup.settings import Conversion
from trueup.verify.pair import Pair
from trueup.verify.rows import data_section, name_row

MOST_KEYS = 20_000
"""Of a table, that are read again one by one; where more rows differ, all of the table is."""
MOST_NAMED = 1_000
LEAST_LEFT_S = 0.1
INTERRUPTED = "it was interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pursuit:
    """Is what is compared, how often, and for how long.

    Raises:
        UsageError: a number of seconds is not above 0.
    """

    tables: tuple[str, ...] | None = None
    """None: all."""
    conversions: tuple[Conversion, ...] = ()
    window: Window = ALL_OF_IT
    is_paranoid: bool = False
    jobs: int = 1
    """How much of all rows is compared at a time."""
    every_s: float = 1.0
    """The pause between two rounds."""
    until_s: float | None = None
    """None: it ends when no row differs, whenever that is."""

    def __post_init__(self) -> None:
        for seconds in (self.every_s, self.until_s):
            if seconds is not None and not 0 < seconds < inf:
                raise UsageError(f"{seconds:g} s is no time to follow: it has to be above 0")

    @property
    def rules(self) -> Mapping[str, Any]:
        """Return what a comparison is given."""
        names = ("tables", "conversions", "window", "is_paranoid")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Is what was seen at one time."""

    at: datetime
    """Here."""
    is_full: bool
    """Whether all rows were read, and not only those that differed before."""
    differing: Mapping[str, int]
    """How many rows differ, by table; nothing of a table where none does."""

    def __str__(self) -> str:
        rows = sum(self.differing.values())
        tables = ", ".join(f"{table} {count:,}" for table, count in self.differing.items())
        told = f"{rows:,} row{' differs' if rows == 1 else 's differ'}: {tables}" if rows else "no row differs"
        return f"{self.at:%H:%M:%S}  {'all rows' if self.is_full else 'those again':<11}  {told}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Is when two snapshots were taken, by the clock of each server."""

    source_at: datetime
    target_at: datetime
    lag_bytes: int | None
    """Of the source's log that the target had not confirmed; None: no logical replication between them is seen."""

    def __str__(self) -> str:
        lag = "no subscription was seen" if self.lag_bytes is None else f"lag {self.lag_bytes:,} bytes of the log"
        return f"{_clock(self.source_at)} on the source, {_clock(self.target_at)} on the target; {lag}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """Is a table some of whose rows differed when it was read last."""

    pair: TablePair
    rows: int
    keys: tuple[Key, ...] | None
    """None: they have none, or are too many."""

    def again(self, both: Lockstep) -> "Behind | None":
        """Read them again; return those that still differ, None where none does or all of it has to be read."""
        try:
            with both.savepoint():
                if self.keys is None:
                    return behind(compare_table(both, self.pair, max_rows=MOST_KEYS), self.pair)
                seen = sightings(both, self.pair, self.keys, secrets.randbits(63))
                left = tuple(key for key, one in seen if not one.is_agreement)
        except Disconnected:
            raise
        except Unverifiable:
            return None
        return replace(self, rows=len(left), keys=left) if left else None


def behind(found: TableComparison, pair: TablePair | Unpaired) -> Behind | None:
    """Return what of a table may yet become equal; None where nothing differs, or no waiting helps."""
    if isinstance(pair, Unpaired) or not found.differing:
        return None
    keys = (*found.missing, *found.extra, *(row.key for row in found.changed))
    is_named = bool(pair.source.key) and not found.truncated
    return Behind(pair=pair, rows=found.differing, keys=tuple(dict.fromkeys(keys)) if is_named else None)


class Following:
    """Is the comparison, again and again, of two databases, and what is known of them whenever it is interrupted."""

    def __init__(self, opened: Callable[[], AbstractContextManager[Pair]], how: Pursuit) -> None:
        """`opened` holds both databases as they are at that moment."""
        self._opened, self._how = opened, how
        self._until = monotonic() + how.until_s if how.until_s else inf
        self._places: Places | None = None
        self.rounds = 0
        self.comparisons: tuple[TableComparison, ...] = ()
        """When all rows were read last."""
        self.behind: dict[str, Behind] = {}
        """What differed when it was read last, by table."""
        self.zero: Moment | None = None
        """When no row differed; None: some always did."""
        self.reason = INTERRUPTED
        """Why it ended without one."""

    def run(self, on_round: Callable[[Round], None]) -> None:
        """Go on until no row differs, the time is up, or what differs is not for waiting.

        Raises:
            ConnectionFailed, Disconnected: a server went away.
            UsageError: a table, a conversion or the window doesn't fit the databases.
        """
        while self._read_all(on_round):
            while self.behind:
                if self._left() <= 0:
                    self.reason = f"rows still differed after {self._how.until_s:g} s"
                    return
                pause(min(self._how.every_s, self._left()))
                self._read_again(on_round)

    def _read_all(self, on_round: Callable[[Round], None]) -> bool:
        """Read all rows; return whether there is a reason to go on."""
        with self._opened() as pair:
            self._places = pair.source.snapshot.conninfo, pair.target.snapshot.conninfo
            moment = moment_of(pair)
            limit = None if self._left() == inf else max(LEAST_LEFT_S, self._left())
            bounds = Bounds(max_rows=MOST_KEYS, max_seconds=limit, jobs=self._how.jobs)
            found = compare(pair.source, pair.target, bounds=bounds, **self._how.rules)
            with lockstep(pair.source.snapshot, pair.target.snapshot) as both:
                pairs = matched(both, (pair.source.catalog, pair.target.catalog), **self._how.rules)
        self.comparisons = found
        left = {one.table: behind(one, pair) for one, pair in zip(found, pairs, strict=True)}
        self.behind = {table: one for table, one in left.items() if one}
        self._tell(on_round, {one.table: one.differing for one in found if one.differing}, is_full=True)
        if any(one.is_stopped for one in found):
            self.reason = next(one.reason or "" for one in found if one.is_stopped)
            return False
        if any(one.verdict is Verdict.FAILED and not left[one.table] for one in found):
            self.reason = "a table is on one side alone, which no waiting changes"
            return False
        self.zero = None if self.behind else moment
        return bool(self.behind)

    def _read_again(self, on_round: Callable[[Round], None]) -> None:
        assert self._places
        with now(*self._places) as both:
            left = {table: one.again(both) for table, one in self.behind.items()}
        self.behind = {table: one for table, one in left.items() if one}
        self._tell(on_round, {table: one.rows for table, one in self.behind.items()}, is_full=False)

    def _tell(self, on_round: Callable[[Round], None], differing: Mapping[str, int], *, is_full: bool) -> None:
        self.rounds += 1
        on_round(Round(at=datetime.now(UTC).astimezone(), is_full=is_full, differing=differing))

    def _left(self) -> float:
        """Return how many seconds are left."""
        return self._until - monotonic()

    @property
    def section(self) -> Section:
        """Return what is known now, as far as a reading of all rows and of those that differed told."""
        known = data_section(self.comparisons, self._how.window)
        if self.behind:
            others = (one for one in known.findings if one.object not in self.behind)
            return replace(known, findings=(*map(self._still, self.behind.values()), *others))
        if self.reason == INTERRUPTED and not self.zero:
            message = "it was interrupted before all rows were read, and none of them differed"
            return replace(known, findings=(left_open("data", "both databases", message),))
        return known

    @property
    def verdict(self) -> Verdict:
        """Return what it verified: nothing, where it was interrupted or its time was up while all rows were read."""
        is_stopped = any(one.is_stopped for one in self.comparisons)
        if is_stopped or (self.reason == INTERRUPTED and not self.zero):
            return Verdict.INCONCLUSIVE
        return self.section.verdict

    def _still(self, one: Behind) -> Finding:
        table = next(found for found in self.comparisons if found.table == str(one.pair.table))
        return Finding(
            check="data",
            verdict=Verdict.FAILED,
            severity=Severity.BREAKING,
            object=table.table,
            message=f"{one.rows:,} row{' differs' if one.rows == 1 else 's differ'}: {self.reason}",
            meaning="The target is not what the source is.",
            remedy="follow on; if nothing is on its way any more, trueup data diff says in which columns they differ",
            details=tuple(name_row(table, key) for key in (one.keys or ())[:MOST_NAMED]),
        )


def moment_of(pair: Pair) -> Moment:
    """Return when the snapshots of both sides were taken, and how far the one was behind the other."""
    times = []
    for side in (pair.source, pair.target):
        [(at,)] = side.snapshot.rows("select transaction_timestamp()")
        times.append(at)
    slots = slots_between(pair.source.snapshot, pair.target.snapshot)
    lag = lag_bytes(pair.source.snapshot, slots) if slots else None
    return Moment(source_at=times[0], target_at=times[1], lag_bytes=lag)


def _clock(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="milliseconds")
