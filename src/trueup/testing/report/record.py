"""What is known about a session of tests when it has ended, and what follows from it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal

Outcome = Literal["failed", "error", "passed", "skipped", "xfailed", "xpassed", "interrupted"]
OUTCOMES: tuple[Outcome, ...] = ("failed", "error", "interrupted", "passed", "skipped", "xfailed", "xpassed")
"""Worst first."""
Part = Literal["setup", "database", "work", "teardown"]
PARTS: tuple[Part, ...] = ("setup", "database", "work", "teardown")
"""Of the time of a test: set-up, waiting for the database, its own work, tear-down."""
BROKEN = frozenset({"failed", "error", "interrupted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseRecord:
    """Is one phase of a test: set-up, the test itself, or tear-down."""

    seconds: float = 0.0
    database_s: float = 0.0
    exchanges: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRecord:
    """Is one test, as it ended the last time it ran."""

    __test__ = False
    """It is no class of tests."""
    node: str
    outcome: Outcome
    setup: PhaseRecord = PhaseRecord()
    call: PhaseRecord = PhaseRecord()
    teardown: PhaseRecord = PhaseRecord()
    text: str = ""
    """Why it failed or was skipped."""
    factories: Mapping[str, tuple[int, float]] = field(default_factory=lambda: MappingProxyType({}))
    """Rows made and seconds taken, by factory."""
    leaks: tuple[str, ...] = ()
    reruns: int = 0

    @property
    def seconds(self) -> float:
        """Return what it took in all."""
        return self.setup.seconds + self.call.seconds + self.teardown.seconds

    @property
    def database_s(self) -> float:
        """Return what all of it waited for the database; several threads may wait for more than it took."""
        return self.setup.database_s + self.call.database_s + self.teardown.database_s

    @property
    def parts(self) -> dict[Part, float]:
        """Return where its time went, in seconds."""
        waited = min(self.call.database_s, self.call.seconds)
        own = self.call.seconds - waited
        return dict(zip(PARTS, (self.setup.seconds, waited, own, self.teardown.seconds), strict=True))

    @property
    def exchanges(self) -> int:
        """Return how often the test itself waited for the database."""
        return self.call.exchanges

    @property
    def file(self) -> str:
        """Return the file that it is in."""
        return self.node.partition("::")[0]

    @property
    def name(self) -> str:
        """Return its name within the file."""
        return self.node.partition("::")[2] or self.node


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """Is the tests of one file together."""

    file: str
    counts: Mapping[Outcome, int]
    seconds: float
    database_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FactoryRecord:
    """Is what one factory has cost the session."""

    name: str
    tests: int
    rows: int
    seconds: float

    @property
    def row_s(self) -> float:
        """Return what one row costs."""
        return self.seconds / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """Is one session of tests."""

    project: str
    server: str
    """Where the databases were: `embedded PostgreSQL 18`."""
    started_at: datetime
    """With its time zone."""
    wall_s: float
    workers: int
    tests: tuple[TestRecord, ...]
    """In the order in which they ended."""
    version: str
    """Of trueup."""
    pytest_version: str
    command: str
    is_complete: bool = True
    """Whether pytest came to its own end."""

    @property
    def counts(self) -> dict[Outcome, int]:
        """Return how many tests ended how, worst first; what did not happen is left out."""
        return count(self.tests)

    @property
    def broken(self) -> tuple[TestRecord, ...]:
        """Return what failed, errors included, in order."""
        return tuple(test for test in self.tests if test.outcome in BROKEN)

    @property
    def leaking(self) -> tuple[TestRecord, ...]:
        """Return the tests that left something behind, in order."""
        return tuple(test for test in self.tests if test.leaks)

    @property
    def slowest(self) -> tuple[TestRecord, ...]:
        """Return all tests that took time, the slowest first."""
        return tuple(sorted((test for test in self.tests if test.seconds), key=lambda test: -test.seconds))

    @property
    def files(self) -> tuple[FileRecord, ...]:
        """Return the files, the slowest first."""
        found = defaultdict(list)
        for test in self.tests:
            found[test.file].append(test)
        records = [
            FileRecord(
                file=file,
                counts=count(tests),
                seconds=sum(test.seconds for test in tests),
                database_s=sum(test.database_s for test in tests),
            )
            for file, tests in found.items()
        ]
        return tuple(sorted(records, key=lambda record: (-record.seconds, record.file)))

    @property
    def factories(self) -> tuple[FactoryRecord, ...]:
        """Return the factories, the dearest first."""
        found = defaultdict(list)
        for test in self.tests:
            for name, cost in test.factories.items():
                found[name].append(cost)
        records = [
            FactoryRecord(
                name=name,
                tests=len(costs),
                rows=sum(rows for rows, _ in costs),
                seconds=sum(seconds for _, seconds in costs),
            )
            for name, costs in found.items()
        ]
        return tuple(sorted(records, key=lambda record: (-record.seconds, record.name)))

    @property
    def skips(self) -> tuple[tuple[str, int], ...]:
        """Return why tests were skipped and how many for each reason, the most common first."""
        found: dict[str, int] = defaultdict(int)
        for test in self.tests:
            if test.outcome == "skipped":
                found[test.text or "no reason was given"] += 1
        return tuple(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    @property
    def parts(self) -> dict[Part, float]:
        """Return where the time of all tests went, in seconds."""
        return {part: sum(test.parts[part] for test in self.tests) for part in PARTS}

    @property
    def database_share(self) -> float:
        """Return the share of the tests' time, without set-up and tear-down, that they waited for the database."""
        waited, worked = self.parts["database"], self.parts["work"]
        return waited / (waited + worked) if waited else 0.0


def count(tests: Iterable[TestRecord]) -> dict[Outcome, int]:
    """Return how many tests ended how, worst first; what did not happen is left out."""
    outcomes = [test.outcome for test in tests]
    return {outcome: number for outcome in OUTCOMES if (number := outcomes.count(outcome))}
