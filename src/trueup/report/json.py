"""Reports, and the results of single commands, as JSON. The reference is docs/reference/json.md."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count, islice

import msgspec

from trueup.report.model import Finding, Report, Verdict
from trueup.report.runs import identity
from trueup.report.text import encodable

SCHEMA_VERSION = 1
"""Rises when a reader of the old form would misread the new one; a new key is no reason."""


def encode(report: Report) -> bytes:
    """Return the whole report as one JSON object; the same report gives the same bytes.

    `sections[].findings` are positions in the flat list `findings`, so that each finding stands there once.
    """
    positions = count()
    return envelope(
        report.verdict,
        [
            replace(finding, compared=finding.compared or section.compared)
            for section in report.sections
            for finding in section.findings
        ],
        title=report.title,
        version=report.version,
        command=report.command,
        started_at=report.started_at,
        sides=report.sides,
        sections=[
            {
                "check": section.check,
                "title": section.title,
                "verdict": section.verdict,
                "compared": section.compared,
                "seconds": section.seconds,
                "findings": list(islice(positions, len(section.findings))),
            }
            for section in report.sections
        ],
        phases=[{"name": name, "seconds": seconds} for name, seconds in report.phases],
        notes=report.notes,
        changes=_changes(report),
    )


def _changes(report: Report) -> object:
    """Return what has changed since the last run; new ones are positions in the list `findings`."""
    if report.changes is None:
        return None
    names = [identity(finding) for finding in report.findings]
    return {
        "since": report.changes.since,
        "new": [position for position, name in enumerate(names) if name in report.changes.new],
        "still": sum(name in report.changes.still for name in names),
        "gone": report.changes.gone,
    }


def envelope(verdict: Verdict, findings: Iterable[Finding] = (), **payload: object) -> bytes:
    """Return the one JSON object that a command prints: schema version, verdict, payload, findings.

    A payload is made of what JSON knows, dataclasses, enums and times. A finding that doesn't say how much was
    compared gets the payload's `compared`.

    Raises:
        ValueError: the payload has a key of the envelope's own.
    """
    if taken := {"schema_version", "findings"} & payload.keys():
        raise ValueError(f"the payload may not have the envelope's own key {', '.join(sorted(taken))}")
    compared = payload.get("compared", {})
    return msgspec.json.encode(
        _plain(
            {
                "schema_version": SCHEMA_VERSION,
                "verdict": verdict,
                **payload,
                "findings": [_flat(finding, compared) for finding in findings],
            }
        )
    )


def _flat(finding: Finding, compared: object) -> dict[str, object]:
    return {
        "check": finding.check,
        "verdict": finding.verdict,
        "severity": finding.severity,
        "object": finding.object,
        "message": finding.message,
        "compared": finding.compared or compared,
        "meaning": finding.meaning,
        "remedy": finding.remedy,
        "details": finding.details,
    }


def _plain(value: object) -> object:
    """Return the value made of dicts, lists and scalars, its text fit for UTF-8."""
    return _encodable(msgspec.to_builtins(value, str_keys=True, enc_hook=_builtin))


def _builtin(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise NotImplementedError(f"JSON has no form for {type(value).__name__}")


def _encodable(value: object) -> object:
    match value:
        case str():
            return encodable(value)
        case dict():
            return {_encodable(key): _encodable(item) for key, item in value.items()}
        case list() | tuple():
            return [_encodable(item) for item in value]
        case _:
            return value
