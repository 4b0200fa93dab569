"""The values that every report is made of. Knows no database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class Verdict(StrEnum):
    """Is what a check, or a whole run, concludes."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    REFUSED = "refused"


class Severity(StrEnum):
    """Is what a difference does to the code and the data that meet it, worst first."""

    BREAKING = "breaking"
    """Code that works on one side fails on the other, or rows are missing or wrong."""
    LOSSY = "lossy"
    """Data is cut, rounded or loses meaning."""
    BEHAVIOURAL = "behavioural"
    """The same statement has another effect."""
    COSMETIC = "cosmetic"
    """Nothing that code or data can notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Is one thing that is not as it should be, or could not be looked at."""

    check: str
    verdict: Verdict
    severity: Severity | None
    """None where nothing was found because nothing could be looked at."""
    object: str
    """What it is about, as SQL names it: `public.clients.phone`."""
    message: str
    """What was found, in one sentence, without a value of a row unless the user asked for values."""
    meaning: str = ""
    """What it does to code and data."""
    remedy: str = ""
    """What to do about it."""
    details: tuple[str, ...] = ()
    """Lines that show it: keys of rows, both definitions."""
    compared: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """How much was looked at to find this one; empty where the section's own count says it."""


def failure(
    check: str, place: str, message: str, meaning: str, remedy: str, *, severity: Severity = Severity.BREAKING
) -> Finding:
    """Return the finding for what is not as it should be."""
    return Finding(
        check=check,
        verdict=Verdict.FAILED,
        severity=severity,
        object=place,
        message=message,
        meaning=meaning,
        remedy=remedy,
    )


def left_open(check: str, place: str, message: str, *, meaning: str = "", remedy: str = "") -> Finding:
    """Return the finding for what could not be looked at."""
    return Finding(
        check=check,
        verdict=Verdict.INCONCLUSIVE,
        severity=None,
        object=place,
        message=message,
        meaning=meaning,
        remedy=remedy,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Is what one check looked at and found."""

    check: str
    title: str
    compared: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """How much it looked at: {"tables": 16, "rows": 58730}."""
    findings: tuple[Finding, ...] = ()
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    """What it tells the reader of the whole report."""

    @property
    def verdict(self) -> Verdict:
        """Return failed if anything failed; inconclusive if anything was left open or nothing was compared."""
        found = worst(finding.verdict for finding in self.findings)
        if found is Verdict.PASSED and not any(self.compared.values()):
            return Verdict.INCONCLUSIVE
        return found


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict of the whole from the verdicts of its parts: a proved difference outweighs a gap."""
    found = set(verdicts)
    order = (Verdict.REFUSED, Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.PASSED)
    return next((verdict for verdict in order if verdict in found), Verdict.PASSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Is one of the two databases of a report."""

    role: str
    """`source` or `target`."""
    name: str
    """As the user named it, without a password."""
    server: str
    """`PostgreSQL 18.4`."""
    database: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Is a finding of an earlier run that is no longer there."""

    check: str
    object: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Is what a run found in comparison with the last one that asked the same."""

    since: datetime
    new: frozenset[str]
    """By the identities of findings, as `trueup.report.runs` makes them."""
    still: frozenset[str]
    gone: tuple[Past, ...]
    """Only of checks that could look: what nobody looked for is not gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Is one run: which databases, what was compared, what was found, and how long each part took."""

    title: str
    version: str
    """Of trueup."""
    started_at: datetime
    """With its time zone."""
    sides: tuple[Side, ...] = ()
    sections: tuple[Section, ...] = ()
    phases: tuple[tuple[str, float], ...] = ()
    """What took how many seconds, in order."""
    notes: tuple[str, ...] = ()
    """What a reader has to know to read it right."""
    command: str = ""
    """That made it, as the user typed it, without a password."""
    changes: Changes | None = None
    """Since the last run; None: there was none that asked the same."""

    @property
    def verdict(self) -> Verdict:
        """Return the verdict of all sections; a report without a section is inconclusive."""
        return worst(section.verdict for section in self.sections) if self.sections else Verdict.INCONCLUSIVE

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return all findings in the order of the sections."""
        return tuple(finding for section in self.sections for finding in section.findings)
