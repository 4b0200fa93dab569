"""What is kept of a run, and what a later one has new, still has, and has no longer."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice

import msgspec

from trueup.report.model import Changes, Finding, Past, Report, Severity, Verdict
from trueup.report.text import encodable

MOST_FINDINGS = 1_000
"""Of one run that are kept."""
NUMBER = re.compile(r"\d[\d,.]*")


class CheckOfRun(msgspec.Struct, frozen=True, kw_only=True):
    """Is what is kept of one check."""

    name: str
    verdict: Verdict
    seconds: float
    compared: Mapping[str, int]


class FindingOfRun(msgspec.Struct, frozen=True, kw_only=True):
    """Is what is kept of one finding."""

    id: str
    check: str
    severity: Severity | None
    object: str
    message: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Is what is kept of a run, as one line of JSON."""

    schema_version: int = 1
    at: datetime
    key: str
    """The same for runs that ask the same of the same databases."""
    title: str
    verdict: Verdict
    seconds: float
    checks: tuple[CheckOfRun, ...]
    findings: tuple[FindingOfRun, ...]
    """Up to MOST_FINDINGS of them."""
    total: int
    """Of all findings."""


def run_of(report: Report) -> Run:
    """Return what is kept of a report."""
    findings = {identity(finding): finding for finding in report.findings}
    return Run(
        at=report.started_at,
        key=key_of(report),
        title=encodable(report.title),
        verdict=report.verdict,
        seconds=round(sum(seconds for _, seconds in report.phases), 3),
        checks=tuple(
            CheckOfRun(
                name=encodable(section.check),
                verdict=section.verdict,
                seconds=round(section.seconds, 3),
                compared={encodable(what): number for what, number in section.compared.items()},
            )
            for section in report.sections
        ),
        findings=tuple(
            FindingOfRun(
                id=name,
                check=encodable(finding.check),
                severity=finding.severity,
                object=encodable(finding.object),
                message=encodable(finding.message),
            )
            for name, finding in islice(findings.items(), MOST_FINDINGS)
        ),
        total=len(report.findings),
    )


def identity(finding: Finding) -> str:
    """Return what is the same for the same finding of another run, whatever the numbers in its message."""
    said = (finding.check, finding.object, finding.verdict, NUMBER.sub("#", finding.message))
    return digest(*said)


def key_of(report: Report) -> str:
    """Return what is the same for runs that ask the same of the same databases."""
    sides = [f"{side.role}={side.name}" for side in report.sides]
    return digest(report.title, *sides, *sorted(section.check for section in report.sections))


def digest(*parts: str) -> str:
    """Return a short name for a sequence of texts."""
    text = "\0".join(parts).encode("utf-8", "backslashreplace")
    return hashlib.sha256(text).hexdigest()[:16]


def encode(run: Run) -> bytes:
    """Return a run as one line."""
    return msgspec.json.encode(run) + b"\n"


def decode(lines: Iterable[bytes]) -> tuple[Run, ...]:
    """Return the runs of some lines; one that was cut off, or that a newer version wrote, is left out."""
    found = []
    for line in lines:
        try:
            found.append(msgspec.json.decode(line, type=Run))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return tuple(found)


def with_changes(report: Report, runs: Iterable[Run]) -> Report:
    """Return the report with what is new, still there and gone since the last run that asked the same."""
    before = [run for run in runs if run.key == key_of(report)]
    if not before:
        return report
    last = before[-1]
    known = {finding.id: finding for finding in last.findings}
    now = {identity(finding) for finding in report.findings}
    looked = {section.check for section in report.sections if section.verdict is not Verdict.INCONCLUSIVE}
    return replace(
        report,
        changes=Changes(
            since=last.at,
            new=frozenset(now - known.keys()),
            still=frozenset(now & known.keys()),
            gone=tuple(
                Past(check=each.check, object=each.object, message=each.message)
                for each in last.findings
                if each.id not in now and each.check in looked
            ),
        ),
    )
