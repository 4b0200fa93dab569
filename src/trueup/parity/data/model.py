"""What a comparison of data says, as plain values."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trueup.report.model import Verdict

Key = tuple[str | None, ...]
"""The key columns' values as text, in key order. In a table without a key: the hash of the row, whose values are not
shown, once for each row of that hash. Hashes are salted anew in every run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedRow:
    """Is one row that both sides have, with other values."""

    key: Key
    columns: tuple[str, ...]
    """Whose values differ."""
    representation: bool
    """Whether every one of them is equal for its type's `=`, yet not the same value: 1.0 and 1.00."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableComparison:
    """Is what was found in one table."""

    table: str
    """As SQL names it: `public.clients`."""
    verdict: Verdict
    source_rows: int | None = None
    """None where they were not counted."""
    target_rows: int | None = None
    key: tuple[str, ...] = ()
    """The columns that identify a row; empty where the rows were compared as a multiset."""
    missing: tuple[Key, ...] = ()
    """In the source only."""
    extra: tuple[Key, ...] = ()
    """In the target only."""
    changed: tuple[ChangedRow, ...] = ()
    missing_count: int = 0
    """Exact, like the other two, however many are listed."""
    extra_count: int = 0
    changed_count: int = 0
    settled_count: int = 0
    """Differed at first, and agreed when they were read again."""
    moving: tuple[Key, ...] = ()
    """Differed whenever they were read again, and changed in between: nobody knows."""
    moving_count: int = 0
    is_sample: bool = False
    """Whether only a sample of the rows was looked at, which proves nothing about the others."""
    columns_not_compared: tuple[str, ...] = ()
    """Each with the reason: `phone: in the source only`."""
    reason: str | None = None
    """Why it did not pass, where no row says so."""
    is_stopped: bool = False
    """Whether the comparison ended before this table was compared as a whole: the rows that it counts are those of the
    segments that were."""
    seconds: float = 0.0

    @property
    def differing(self) -> int:
        """Return how many rows differ."""
        return self.missing_count + self.extra_count + self.changed_count

    @property
    def truncated(self) -> bool:
        """Return whether more rows differ than are listed."""
        listed = len(self.missing) + len(self.extra) + len(self.changed) + len(self.moving)
        return listed < self.differing + self.moving_count

    @property
    def is_empty(self) -> bool:
        """Return whether neither side has a row."""
        return self.source_rows == 0 and self.target_rows == 0


def verdict_of(comparisons: Iterable[TableComparison]) -> Verdict:
    """Return the verdict of the whole: tables empty on both sides prove nothing, yet spoil nothing beside others."""
    found = tuple(comparisons)
    if any(one.verdict is Verdict.FAILED for one in found):
        return Verdict.FAILED
    if any(one.is_sample for one in found):
        return Verdict.INCONCLUSIVE
    with_rows = [one for one in found if not one.is_empty]
    if with_rows and all(one.verdict is Verdict.PASSED for one in with_rows):
        return Verdict.PASSED
    return Verdict.INCONCLUSIVE


def as_json(comparison: TableComparison) -> dict[str, Any]:
    """Return it as `data diff --json` prints it."""
    return {
        "table": comparison.table,
        "verdict": comparison.verdict.value,
        "source_rows": comparison.source_rows,
        "target_rows": comparison.target_rows,
        "missing": [list(key) for key in comparison.missing],
        "extra": [list(key) for key in comparison.extra],
        "changed": [
            {"key": list(row.key), "columns": list(row.columns), "representation": row.representation}
            for row in comparison.changed
        ],
        "moving": [list(key) for key in comparison.moving],
        "truncated": comparison.truncated,
        "counts": {
            "missing": comparison.missing_count,
            "extra": comparison.extra_count,
            "changed": comparison.changed_count,
            "settled": comparison.settled_count,
            "moving": comparison.moving_count,
        },
        "sample": comparison.is_sample,
        "key": list(comparison.key),
        "columns_not_compared": list(comparison.columns_not_compared),
        "reason": comparison.reason,
        "stopped": comparison.is_stopped,
        "seconds": round(comparison.seconds, 3),
    }
