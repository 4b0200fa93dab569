"""Which tables and rows no statement can repair, and why. Does no I/O."""

from collections.abc import Iterator

from trueup.parity.data.model import TableComparison
from trueup.parity.data.pairing.pairs import TablePair, Unpaired
from trueup.parity.data.repair.model import Refusal
from trueup.parity.schema import Table
from trueup.report.model import Verdict


def refusal(comparison: TableComparison, pair: TablePair | Unpaired, target: Table | None) -> str | None:
    """Return why nothing is written for a table; None where something can be."""
    if isinstance(pair, Unpaired) or target is None:
        reason = pair.reason if isinstance(pair, Unpaired) else "the target has no such table"
        return f"{reason}: `trueup schema plan` makes the tables alike, rows come after"
    if comparison.verdict is Verdict.INCONCLUSIVE:
        return None if comparison.is_empty else comparison.reason or "it could not be compared"
    if not pair.source.key:
        return "it has no key, so that no statement can name one of its rows: add a primary key on both sides"
    if not pair.source.is_key_enforced:
        return "only one side enforces its key, so that a key may stand for several rows: add it on the other side"
    required = sorted(required_columns(target) - {*pair.names})
    if comparison.missing and required:
        return f"rows can't be inserted, as the source gives no value for {', '.join(required)}: NOT NULL, no default"
    return None


def required_columns(table: Table) -> set[str]:
    """Return the columns that every insert has to give."""
    return {
        column.name
        for column in table.columns.values()
        if not (column.nullable or column.default or column.identity or column.generated)
    }


def gaps(comparison: TableComparison, pair: TablePair) -> Iterator[Refusal]:
    """Yield what of a table that is repaired stays as it is."""
    found = comparison.differing
    listed = len(comparison.missing) + len(comparison.extra) + len(comparison.changed)
    reasons = (
        listed < found
        and f"{found - listed:,} of {found:,} rows that differ were counted and not listed:"
        f" give --max-rows {found} or more, or repair again after this",
        comparison.moving_count
        and f"{comparison.moving_count:,} rows changed whenever they were read again: repair them when they rest",
        comparison.is_stopped and (comparison.reason or "it was not compared as a whole"),
        pair.gap,
    )
    yield from (Refusal(object=comparison.table, reason=reason) for reason in reasons if reason)
