"""The checks: each looks at a pair of databases, and says how much it looked at and what it found."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from trueup.parity.data import Key, Progress, TableComparison, compare, sequences_behind, verdict_of
from trueup.parity.data import Side as HeldSide
from trueup.parity.schema import Catalog, Difference, compared, diff
from trueup.report.model import Finding, Section, Severity, Verdict
from trueup.verify.pair import Pair

Announce = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Check:
    """Is one question about a pair of databases."""

    name: str
    title: str
    look: Callable[[Pair, Announce], Section]
    applies: Callable[[Pair], bool] = lambda _: True
    """Whether either database has what the check looks at."""


def look_at_schema(pair: Pair, announce: Announce) -> Section:
    """Hold the structure of the target against that of the source."""
    announce("comparing structure")
    mine, theirs = pair.source.catalog, pair.target.catalog
    return schema_section(mine, theirs, diff(mine, theirs))


def schema_section(mine: Catalog, theirs: Catalog, differences: tuple[Difference, ...]) -> Section:
    """Return what was compared and found; two databases without a table, view or sequence prove nothing."""
    amounts = {what: max(number, compared(theirs)[what]) for what, number in compared(mine).items()}
    findings = tuple(map(finding_of_difference, differences))
    if not findings and not (amounts["tables"] or amounts["views"] or amounts["sequences"]):
        findings = (nothing_there("schema", "neither database has a table, a view or a sequence"),)
    return Section(check="schema", title="Structure", compared=amounts, findings=findings)


def finding_of_difference(difference: Difference) -> Finding:
    """Return a difference of structure as a finding."""
    kind, change = difference.kind, difference.change
    messages = {"missing": f"the {kind} is in the source only", "extra": f"the {kind} is in the target only"}
    sides = (("source", difference.source), ("target", difference.target))
    details = [] if change in messages else [f"{role}: {text or 'none'}" for role, text in sides]
    if difference.hint:
        details.append(f"hint: {difference.hint}")
    return Finding(
        check="schema",
        verdict=Verdict.FAILED,
        severity=difference.severity,
        object=difference.object,
        message=messages.get(change, f"the {kind}'s {change} differs"),
        meaning=difference.meaning,
        remedy=difference.remedy,
        details=tuple(details),
    )


def look_at_data(pair: Pair, announce: Announce) -> Section:
    """Hold the rows of the target against those of the source, table by table."""

    def report(progress: Progress) -> None:
        announce(f"comparing rows of {progress.table} ({progress.done + 1} of {progress.total} tables)")

    return data_section(compare(pair.source, pair.target, on_progress=report))


def data_section(comparisons: tuple[TableComparison, ...]) -> Section:
    """Return what was compared and found; tables without a row on either side are counted and prove nothing."""
    findings = tuple(chain.from_iterable(map(findings_of_table, comparisons)))
    if not findings and verdict_of(comparisons) is not Verdict.PASSED:
        findings = (nothing_there("data", "no table has a row on either side"),)
    amounts = {
        "tables": len(comparisons),
        "source rows": sum(one.source_rows or 0 for one in comparisons),
        "target rows": sum(one.target_rows or 0 for one in comparisons),
    }
    if empty := sum(one.is_empty for one in comparisons):
        amounts["tables without a row"] = empty
    return Section(check="data", title="Rows", compared=amounts, findings=findings)


class RowState(NamedTuple):
    """Is a way in which rows differ: in words for one row and for many, how bad, and what to do."""

    one: str
    many: str
    severity: Severity
    meaning: str
    remedy: str


LOST = RowState(
    "row is in the source only",
    "rows are in the source only",
    Severity.BREAKING,
    "Rows are lost: whoever reads the target misses them.",
    "copy them from the source",
)
ADDED = RowState(
    "row is in the target only",
    "rows are in the target only",
    Severity.BREAKING,
    "Rows appeared in the target alone: totals are wrong, and keys are taken.",
    "find out who wrote them; delete them, or copy them to the source",
)
CHANGED = RowState(
    "row differs",
    "rows differ",
    Severity.BREAKING,
    "The target answers with other values.",
    "find out which side is right, and copy the row",
)
RESPELLED = RowState(
    "row is equal, yet written otherwise",
    "rows are equal, yet written otherwise",
    Severity.BEHAVIOURAL,
    "Queries find them equal; text output, exports and hashes differ (1.0 and 1.00).",
    "copy the row without a conversion in between",
)


def findings_of_table(table: TableComparison) -> Iterator[Finding]:
    """Yield what is wrong with the rows of one table, by state, or why they could not be compared."""
    changed = [row for row in table.changed if not row.representation]
    respelled = [row for row in table.changed if row.representation]
    unlisted = table.changed_count - len(table.changed)
    by_state = (
        (LOST, table.missing_count, [(key, ()) for key in table.missing]),
        (ADDED, table.extra_count, [(key, ()) for key in table.extra]),
        (CHANGED, len(changed) + unlisted, [(row.key, row.columns) for row in changed]),
        (RESPELLED, len(respelled), [(row.key, row.columns) for row in respelled]),
    )
    for state, count, rows in by_state:
        if count:
            yield rows_finding(table, state, count, rows)
    if table.reason and not table.is_empty:
        yield Finding(
            check="data",
            verdict=table.verdict,
            severity=Severity.BREAKING if table.verdict is Verdict.FAILED else None,
            object=table.table,
            message=table.reason,
            meaning="" if table.verdict is Verdict.FAILED else "Nothing is known about what could not be read.",
            details=table.columns_not_compared,
        )


def rows_finding(
    table: TableComparison, state: RowState, count: int, rows: Sequence[tuple[Key, tuple[str, ...]]]
) -> Finding:
    """Return the finding for the rows of a table that are in one state, their keys as its details."""
    columns = sorted({column for _, names in rows for column in names})
    words = f"{count:,} {state.one if count == 1 else state.many}"
    return Finding(
        check="data",
        verdict=Verdict.FAILED,
        severity=state.severity,
        object=table.table,
        message=words + (f" in {', '.join(columns)}" if columns else ""),
        meaning=state.meaning,
        remedy=state.remedy,
        details=tuple(name_row(table, key) + (f": {', '.join(names)}" if names else "") for key, names in rows),
    )


def name_row(table: TableComparison, key: Key) -> str:
    """Return a row as people name it: `playlist_id = 1, track_id = 3402`."""
    if not table.key:
        return f"row with hash {key[0]}"
    return ", ".join(f"{column} = {value}" for column, value in zip(table.key, key, strict=True))


def look_at_sequences(pair: Pair, announce: Announce) -> Section:
    """See whether, on each side, the next value of each sequence is past its column's values."""
    announce("comparing sequences")
    found = {"source": sequence_findings("source", pair.source), "target": sequence_findings("target", pair.target)}
    return Section(
        check="sequences",
        title="Sequences",
        compared={f"{role} sequences": number for role, (number, _) in found.items()},
        findings=tuple(chain.from_iterable(findings for _, findings in found.values())),
    )


def has_sequences(pair: Pair) -> bool:
    """Return whether a sequence of either side belongs to a column."""
    sides = (pair.source, pair.target)
    return any(one.owner or one.feeds for side in sides for one in side.catalog.sequences.values())


def sequence_findings(role: str, side: HeldSide) -> tuple[int, list[Finding]]:
    """Return how many sequences of a side were looked at, and what was found."""
    check = sequences_behind(side)
    behind = [
        Finding(
            check="sequences",
            verdict=Verdict.FAILED,
            severity=Severity.BREAKING,
            object=one.sequence,
            message=f"behind its column in the {role}: the next value is {one.next_value}, {one.column} has reached"
            f" {one.reached}",
            meaning="Inserts that take their id from it fail with a duplicate key (23505).",
            remedy=f"select setval('{one.sequence}', {one.reached});",
        )
        for one in check.behind
    ]
    return check.compared, behind + [unreadable(role, text) for text in check.not_compared]


def unreadable(role: str, text: str) -> Finding:
    """Return the finding for a sequence that could not be read: `name: reason`."""
    name, reason = text.split(": ", 1)
    return Finding(
        check="sequences",
        verdict=Verdict.INCONCLUSIVE,
        severity=None,
        object=name,
        message=f"not readable in the {role}: {reason}",
    )


def nothing_there(check: str, message: str) -> Finding:
    """Return the finding for a check that had nothing to look at: two empty sides did not agree."""
    return Finding(
        check=check,
        verdict=Verdict.INCONCLUSIVE,
        severity=None,
        object="both databases",
        message=message,
        meaning="Two empty sides prove nothing.",
        remedy="check that the right databases are named, and that the role may see their schemas",
    )


CHECKS = (
    Check("schema", "Structure", look_at_schema),
    Check("data", "Rows", look_at_data),
    Check("sequences", "Sequences", look_at_sequences, has_sequences),
)
"""In the order in which they run."""
