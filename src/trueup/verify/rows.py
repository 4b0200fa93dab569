"""How the rows of two databases differ, as a section of a report."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from trueup.parity.data import ALL_OF_IT, Key, Outcome, Recheck, Sample, TableComparison, Window, compare, verdict_of
from trueup.report.model import Finding, Section, Severity, Verdict, left_open
from trueup.verify.check import Announce, nothing_there
from trueup.verify.subject import Subject

SHARE = 0.9
"""Of the time that the check has: so that it can say what it compared."""


def look_at_data(subject: Subject, announce: Announce) -> Section:
    """Hold the rows of the target against those of the source, table by table."""
    recheck = Recheck(seconds=seconds) if (seconds := subject.settings.recheck) else None
    found = compare(
        subject.pair.source,
        subject.target,
        bounds=replace(subject.bounds, max_seconds=SHARE * subject.deadline_s),
        conversions=subject.settings.conversions,
        recheck=recheck,
        on_progress=lambda progress: announce(str(progress)),
    )
    return data_section(found, recheck=recheck)


def data_section(
    comparisons: tuple[TableComparison, ...], window: Window = ALL_OF_IT, *, recheck: Recheck | None = None
) -> Section:
    """Return what was compared and found; tables without a row on either side are counted and prove nothing."""
    findings = tuple(chain.from_iterable(map(findings_of_table, comparisons)))
    if window.sample:
        findings += (sample_finding(comparisons, window.sample),)
    if not findings and verdict_of(comparisons) is not Verdict.PASSED:
        asked = " of those asked for" if window else ""
        findings = (nothing_there("data", f"no table has a row{asked} on either side"),)
    amounts = {
        "tables": len(comparisons),
        "source rows": sum(one.source_rows or 0 for one in comparisons),
        "target rows": sum(one.target_rows or 0 for one in comparisons),
    }
    rare = {
        "tables without a row": sum(one.is_empty for one in comparisons),
        "tables compared in part": sum(one.is_stopped and one.source_rows is not None for one in comparisons),
        "tables not compared": sum(one.is_stopped and one.source_rows is None for one in comparisons),
        "rows that settled": sum(one.settled_count for one in comparisons),
        "rows still moving": sum(one.moving_count for one in comparisons),
    }
    amounts |= {name: amount for name, amount in rare.items() if amount}
    title = "Rows (sample)" if window.sample else "Rows"
    notes = [*window.lines(), *([recheck_note(comparisons, recheck)] if recheck else [])]
    return Section(check="data", title=title, compared=amounts, findings=findings, notes=tuple(notes))


def outcomes(comparisons: Iterable[TableComparison]) -> Mapping[Outcome, int]:
    """Return what became of the rows that were to be read again; a table of one side has none."""
    found = tuple(comparisons)
    return {
        Outcome.SETTLED: sum(one.settled_count for one in found),
        Outcome.DIFFERENT: sum(one.differing for one in found if None not in {one.source_rows, one.target_rows}),
        Outcome.MOVING: sum(one.moving_count for one in found),
    }


def recheck_note(comparisons: Iterable[TableComparison], recheck: Recheck) -> str:
    """Return it as a sentence."""
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes(comparisons).items())
    return f"Rows that differed were read again, with pauses of {recheck.seconds:g} s: {counts}."


def unbegun_section() -> Section:
    """Return that it was interrupted before any table was known."""
    finding = left_open("data", "both databases", "it was interrupted before any table was compared")
    return Section(check="data", title="Rows", findings=(finding,))


def sample_finding(comparisons: Iterable[TableComparison], sample: Sample) -> Finding:
    """Return that a sample proves nothing about the other rows."""
    differing = sum(one.differing for one in comparisons)
    return left_open(
        "data",
        "both databases",
        f"this is a sample, {sample.size}: {differing:,} of its rows differ",
        meaning="Nothing is known about the other rows.",
        remedy="compare without --sample",
    )


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
    if table.moving_count:
        yield moving_finding(table)
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


def moving_finding(table: TableComparison) -> Finding:
    """Return which rows never came to rest."""
    count = table.moving_count
    return replace(
        left_open(
            "data",
            table.table,
            f"{count:,} row{' is' if count == 1 else 's are'} still moving",
            meaning="They differed and were written again whenever they were read: nobody knows whether they agree.",
            remedy="compare again when less is written, or with a longer --recheck",
        ),
        details=tuple(name_row(table, key) for key in table.moving),
    )


def name_row(table: TableComparison, key: Key) -> str:
    """Return a row as people name it: `playlist_id = 1, track_id = 3402`."""
    if not table.key:
        return f"row with hash {key[0]}"
    return ", ".join(f"{column} = {value}" for column, value in zip(table.key, key, strict=True))
