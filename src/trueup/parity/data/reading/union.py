"""What a table's segments say together. Does no I/O."""

from collections.abc import Iterable, Sequence
from itertools import chain

from trueup.parity.data.model import ChangedRow, Key, TableComparison
from trueup.parity.data.reading.differences import even_shares
from trueup.report.model import Verdict


def merged(parts: Sequence[TableComparison], *, max_rows: int) -> TableComparison:
    """Return the comparison of a table from those of its segments, in their order.

    A segment that is empty on both sides proves nothing and spoils nothing; one that could not be read makes the table
    inconclusive, unless another found a difference.
    """
    if len(parts) == 1:
        return parts[0]
    missing, extra, changed = _listed(parts, max_rows)
    verdict, reason = _verdict(parts)
    first = parts[0]
    return TableComparison(
        table=first.table,
        verdict=verdict,
        source_rows=_total(part.source_rows for part in parts),
        target_rows=_total(part.target_rows for part in parts),
        key=next((part.key for part in parts if part.key), ()),
        missing=missing,
        extra=extra,
        changed=changed,
        missing_count=sum(part.missing_count for part in parts),
        extra_count=sum(part.extra_count for part in parts),
        changed_count=sum(part.changed_count for part in parts),
        columns_not_compared=first.columns_not_compared,
        is_sample=first.is_sample,
        reason=reason,
        seconds=sum(part.seconds for part in parts),
    )


def _verdict(parts: Sequence[TableComparison]) -> tuple[Verdict, str | None]:
    reasons = [part.reason for part in parts if part.reason and not part.is_empty]
    reason = next(iter(reasons), None)
    if any(part.verdict is Verdict.FAILED for part in parts):
        return Verdict.FAILED, reason
    if all(part.is_empty for part in parts):
        return Verdict.INCONCLUSIVE, parts[0].reason
    return (Verdict.INCONCLUSIVE if reasons or parts[0].is_sample else Verdict.PASSED), reason


def _listed(
    parts: Sequence[TableComparison], limit: int
) -> tuple[tuple[Key, ...], tuple[Key, ...], tuple[ChangedRow, ...]]:
    missing, extra, changed = (
        tuple(chain.from_iterable(getattr(part, kind) for part in parts)) for kind in ("missing", "extra", "changed")
    )
    rooms = even_shares(limit, (len(missing), len(extra), len(changed)))
    return missing[: rooms[0]], extra[: rooms[1]], changed[: rooms[2]]


def _total(counts: Iterable[int | None]) -> int | None:
    known = list(counts)
    return None if None in known else sum(count or 0 for count in known)
