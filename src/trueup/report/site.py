"""What the front page of all reports says: the last verification, its history, tests, coverage, benchmarks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trueup.report.model import Verdict, worst
from trueup.report.runs import Run
from trueup.report.wording import quantity

MOST_RUNS = 40
"""Of one kind that a plot shows."""
MOST_KINDS = 6
MOST_FAILURES = 20
PLOT_HEIGHT = 40.0
STEP = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSession:
    """Is the result of one session of tests."""

    __test__ = False

    name: str
    tests: int
    failures: tuple[str, ...]
    """The tests that failed, or could not begin or end."""
    skipped: int
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """Return failed where a test failed; a session without a test that ran proves nothing."""
        if self.failures:
            return Verdict.FAILED
        return Verdict.PASSED if self.tests > self.skipped else Verdict.INCONCLUSIVE

    @property
    def passed(self) -> int:
        """Return how many tests passed."""
        return self.tests - self.skipped - len(self.failures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Is how much of the code the tests have run."""

    percent: float
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Is one measured ratio: less is better."""

    name: str
    ratio: float
    against: str
    limit: float | None = None
    """What it is meant to stay below."""

    @property
    def verdict(self) -> Verdict:
        """Return whether it is what it is meant to be."""
        return Verdict.FAILED if self.limit is not None and self.ratio > self.limit else Verdict.PASSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Is one run of a plot."""

    x: float
    y: float
    height: float
    verdict: Verdict
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Is the runs of one kind, the oldest first."""

    title: str
    bars: tuple[Bar, ...]
    last: Run
    summary: str
    most_s: float

    @property
    def width(self) -> float:
        """Return the width of the drawing."""
        return max(len(self.bars), 12) * STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Is everything that the folder of reports holds."""

    made_at: datetime
    version: str
    runs: tuple[Run, ...] = ()
    """The oldest first."""
    has_report: bool = False
    tests: tuple[TestSession, ...] = ()
    coverage: Coverage | None = None
    ratios: tuple[Ratio, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    """Other pages of the folder: title and place."""
    problems: tuple[str, ...] = ()
    """What could not be read, and why."""

    @property
    def last(self) -> Run | None:
        """Return the last run."""
        return self.runs[-1] if self.runs else None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Return the verdict of each part that has one."""
        found = [session.verdict for session in self.tests] + [ratio.verdict for ratio in self.ratios]
        return tuple(found + ([self.last.verdict] if self.last else []))

    @property
    def verdict(self) -> Verdict:
        """Return the verdict of everything; an empty folder, or one that can't be read, proves nothing."""
        if not self.verdicts or self.problems:
            return worst([*self.verdicts, Verdict.INCONCLUSIVE])
        return worst(self.verdicts)

    @property
    def headline(self) -> str:
        """Return the answer in a line."""
        return {
            Verdict.PASSED: "Everything that was looked at holds",
            Verdict.FAILED: "Not everything holds",
            Verdict.INCONCLUSIVE: "Not everything could be looked at",
            Verdict.REFUSED: "A run was refused",
        }[self.verdict]

    @property
    def explanation(self) -> str:
        """Return what the headline stands on."""
        parts = []
        if self.last:
            parts.append(f"the last verification {says(self.last.verdict)}")
        if self.tests:
            failed = sum(len(session.failures) for session in self.tests)
            total = quantity(sum(session.tests for session in self.tests), "tests")
            parts.append(f"{failed:,} of {total} failed" if failed else f"{total} ran and none failed")
        if self.coverage:
            parts.append(f"{self.coverage.percent:g} % of the code was run")
        if not parts:
            return "The folder holds no result yet: run trueup verify, or nox."
        return ", ".join(parts)[0].upper() + ", ".join(parts)[1:] + "."

    @property
    def plots(self) -> tuple[Plot, ...]:
        """Return a plot for each kind of run, the latest kind first."""
        kinds: dict[str, list[Run]] = {}
        for run in self.runs:
            kinds.setdefault(run.key, []).append(run)
        latest = sorted(kinds.values(), key=lambda runs: runs[-1].at, reverse=True)
        return tuple(plot_of(runs[-MOST_RUNS:]) for runs in latest[:MOST_KINDS])

    @property
    def most_ratio(self) -> float:
        """Return the end of the scale of ratios; 1 is always on it."""
        return max([1.0, *(ratio.ratio for ratio in self.ratios), *(ratio.limit or 0 for ratio in self.ratios)]) * 1.05


def says(verdict: Verdict) -> str:
    """Return a verdict as what a run did."""
    return {
        Verdict.PASSED: "passed",
        Verdict.FAILED: "failed",
        Verdict.INCONCLUSIVE: "was inconclusive",
        Verdict.REFUSED: "was refused",
    }[verdict]


def plot_of(runs: Sequence[Run]) -> Plot:
    """Return the plot of some runs of one kind: a bar each, as high as the run took long."""
    most_s = max(run.seconds for run in runs) or 1.0
    bars = []
    for number, run in enumerate(runs):
        height = max(3.0, PLOT_HEIGHT * run.seconds / most_s)
        title = f"{run.at:%d %B %Y, %H:%M}: {run.verdict}, {quantity(run.total, 'findings')}, {run.seconds:.1f} s"
        bars.append(
            Bar(x=number * STEP, y=PLOT_HEIGHT - height, height=height, verdict=run.verdict, title=title),
        )
    counted = Counter(run.verdict for run in runs)
    listed = ", ".join(f"{counted[verdict]} {verdict}" for verdict in Verdict if counted[verdict])
    return Plot(
        title=runs[-1].title,
        bars=tuple(bars),
        last=runs[-1],
        summary=f"{quantity(len(runs), 'runs')}: {listed}",
        most_s=most_s,
    )
