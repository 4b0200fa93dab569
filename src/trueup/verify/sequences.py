"""Whether sequences are past the values of their columns, as a section of a report."""

from itertools import chain

from trueup.parity.data import Side, sequences_behind
from trueup.report.model import Finding, Section, failure, left_open
from trueup.verify.check import Announce
from trueup.verify.subject import Subject


def look_at_sequences(subject: Subject, announce: Announce) -> Section:
    """See whether, on each side, the next value of each sequence is past its column's values."""
    announce("comparing sequences")
    found = {role: sequence_findings(role, side) for role, side in subject.sides.items()}
    return Section(
        check="sequences",
        title="Sequences",
        compared={f"{role} sequences": number for role, (number, _) in found.items()},
        findings=tuple(chain.from_iterable(findings for _, findings in found.values())),
    )


def lacks_sequences(subject: Subject) -> str:
    """Say that no side has a sequence that belongs to a column; empty where one does."""
    catalogs = [side.catalog for side in subject.sides.values()]
    has_any = any(one.owner or one.feeds for catalog in catalogs for one in catalog.sequences.values())
    return "" if has_any else "no database has any"


def sequence_findings(role: str, side: Side) -> tuple[int, list[Finding]]:
    """Return how many sequences of a side were looked at, and what was found."""
    check = sequences_behind(side)
    behind = [
        failure(
            "sequences",
            one.sequence,
            f"behind its column in the {role}: the next value is {one.next_value}, {one.column} has reached"
            f" {one.reached}",
            "Inserts that take their id from it fail with a duplicate key (23505).",
            f"select setval('{one.sequence}', {one.reached});",
        )
        for one in check.behind
    ]
    return check.compared, behind + [unreadable(role, text) for text in check.not_compared]


def unreadable(role: str, text: str) -> Finding:
    """Return the finding for a sequence that could not be read: `name: reason`."""
    name, reason = text.split(": ", 1)
    return left_open("sequences", name, f"not readable in the {role}: {reason}")
