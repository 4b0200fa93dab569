"""What the page of a report says: its headline, and its findings in the order in which they matter."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from html import escape

from trueup.report.model import Finding, Report, Verdict
from trueup.report.runs import identity
from trueup.report.text import printable
from trueup.report.wording import clip, quantity

MOST_OF_A_CHECK = 25
"""Findings that a severity shows of one check: more of the same teaches nothing; report.json has them all."""
MOST_BYTES = 1_000_000
"""That all shown findings may take together, so that the page opens at once and can be mailed."""
MOST_OF_A_NAME = 300
"""Characters."""
MOST_DETAILS = 30
"""Lines of one finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """Is what a group of findings has in common: how bad it is."""

    key: str
    title: str
    meaning: str


RANKS = (
    Rank(key="refused", title="Refused", meaning="Going on would have been unsafe, or would have proved nothing."),
    Rank(
        key="breaking",
        title="Breaking",
        meaning="Code that works on one side fails on the other, or rows are missing or wrong.",
    ),
    Rank(key="lossy", title="Lossy", meaning="Data is cut, rounded or loses its meaning."),
    Rank(key="behavioural", title="Behavioural", meaning="The same statement has another effect."),
    Rank(key="failed", title="Failed", meaning="Something is not as it should be."),
    Rank(key="inconclusive", title="Left open", meaning="This could not be looked at, so nothing is known about it."),
    Rank(key="cosmetic", title="Cosmetic", meaning="Neither code nor data can notice it."),
    Rank(key="passed", title="Remarks", meaning="Good to know; nothing fails by it."),
)
"""Worst first. What was left open could hide anything, so it stands above what is harmless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Is a finding cut to a size that can be read."""

    finding: Finding
    hidden_lines: int
    """Of its details."""
    is_new: bool = False
    """Whether the last run did not have it."""

    @property
    def size_bytes(self) -> int:
        """Return about how much the page grows by it."""
        finding = self.finding
        texts = (finding.object, finding.message, finding.meaning, finding.remedy, *finding.details)
        return sum(len(escape(printable(text)).encode()) for text in texts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Is one or more findings that mean the same and ask for the same."""

    meaning: str
    remedy: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Is what one check found of one rank: the findings that are shown, and the number of those that are not."""

    title: str
    lessons: tuple[Lesson, ...]
    total: int
    hidden: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Is all findings of one rank, a batch for each check."""

    rank: Rank
    batches: tuple[Batch, ...]

    @property
    def total(self) -> int:
        """Return the number of findings, hidden ones included."""
        return sum(batch.total for batch in self.batches)


def headline(report: Report) -> str:
    """Return the answer to the reader's question in one line."""
    answers = {
        Verdict.PASSED: ("The two databases are the same", "Everything that was checked holds"),
        Verdict.FAILED: ("The two databases are not the same", "Not everything that was checked holds"),
        Verdict.INCONCLUSIVE: ("It is not known whether the two databases are the same", "Nothing can be concluded"),
        Verdict.REFUSED: ("The two databases were not compared to the end", "The check was refused"),
    }
    return answers[report.verdict][0 if len(report.sides) == 2 else 1]


def explanation(report: Report) -> str:
    """Return what the verdict means to whoever has to act on it, in one or two sentences."""
    verdicts = [section.verdict for section in report.sections]
    checks = quantity(len(verdicts), "checks")
    failed, left_open = verdicts.count(Verdict.FAILED), verdicts.count(Verdict.INCONCLUSIVE)
    match report.verdict:
        case Verdict.PASSED if report.findings:
            return f"Nothing that was compared fails; {quantity(len(report.findings), 'remarks')} below."
        case Verdict.PASSED:
            return "Nothing that was compared differs. How much that was stands in the table below."
        case Verdict.FAILED:
            gap = f", {left_open} could not be completed" if left_open else ""
            advice = "Do not rely on the target before" if len(report.sides) == 2 else "Verify again after"
            return f"{failed} of {checks} failed{gap}. {advice} the findings below are resolved."
        case Verdict.INCONCLUSIVE if verdicts:
            return f"Nothing failed, but {left_open} of {checks} could not be completed. Treat this as not verified."
        case Verdict.INCONCLUSIVE:
            return "No check was run, so nothing was compared. Treat this as not verified."
        case Verdict.REFUSED:
            return "Going on would have been unsafe, or would have proved nothing. Treat this as not verified."


def development(report: Report) -> str:
    """Return what has changed since the last run in a sentence; empty where there was none."""
    changes = report.changes
    if changes is None:
        return ""
    since = f"since the run of {changes.since:%d %B %Y, %H:%M}"
    if not (changes.new or changes.still or changes.gone):
        return f"Nothing was found {since} either."
    return f"{len(changes.new):,} new, {len(changes.still):,} still there, {len(changes.gone):,} gone {since}."


def rank_of(finding: Finding) -> str:
    """Return the key of the rank that a finding belongs to."""
    if finding.verdict in {Verdict.REFUSED, Verdict.INCONCLUSIVE}:
        return finding.verdict
    return finding.severity or finding.verdict


def groups(report: Report) -> tuple[Group, ...]:
    """Return all findings, worst rank first, then in the order of the sections; none is left out of the totals."""
    budget = Budget()
    return tuple(
        Group(rank=rank, batches=batches) for rank in RANKS if (batches := tuple(_batches(report, rank.key, budget)))
    )


class Budget:
    """Counts the bytes that findings take on the page, and says when there is no room for another."""

    def __init__(self) -> None:
        self.left_bytes = MOST_BYTES

    def takes(self, entry: Entry) -> bool:
        """Return whether there is room for the entry, and book it."""
        size = entry.size_bytes
        if size > self.left_bytes:
            return False
        self.left_bytes -= size
        return True


def _batches(report: Report, rank: str, budget: Budget) -> Iterable[Batch]:
    for section in report.sections:
        found = [finding for finding in section.findings if rank_of(finding) == rank]
        if found:
            first = sorted(found, key=lambda finding: finding.verdict is Verdict.PASSED)[:MOST_OF_A_CHECK]
            new = report.changes.new if report.changes else frozenset()
            entries = (_entry(finding, is_new=identity(finding) in new) for finding in first)
            shown = [entry for entry in entries if budget.takes(entry)]
            yield Batch(title=section.title, lessons=_lessons(shown), total=len(found), hidden=len(found) - len(shown))


def _lessons(entries: Iterable[Entry]) -> tuple[Lesson, ...]:
    alike: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        alike.setdefault((entry.finding.meaning, entry.finding.remedy), []).append(entry)
    return tuple(
        Lesson(meaning=meaning, remedy=remedy, entries=tuple(members)) for (meaning, remedy), members in alike.items()
    )


def _entry(finding: Finding, *, is_new: bool = False) -> Entry:
    cut = replace(
        finding,
        object=clip(finding.object, MOST_OF_A_NAME),
        message=clip(finding.message),
        meaning=clip(finding.meaning),
        remedy=clip(finding.remedy),
        details=tuple(map(clip, finding.details[:MOST_DETAILS])),
    )
    return Entry(finding=cut, hidden_lines=max(0, len(finding.details) - MOST_DETAILS), is_new=is_new)
