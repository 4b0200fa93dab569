"""Cuts tables into segments: each is compared on its own, anywhere, in any order, and again after an interruption.

A segment is a plain value that can be pickled: what to read, nothing of a connection. Its comparison says of a part of
the table what the table's comparison says of the whole; `merged` puts the parts together.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from time import perf_counter

from trueup.errors import Disconnected, Unverifiable
from trueup.parity.data.hashing import statements
from trueup.parity.data.model import ChangedRow, Key, TableComparison
from trueup.parity.data.pairing.grid import Span, even_bounds, power_of_two
from trueup.parity.data.pairing.pairing import TablePair
from trueup.parity.data.reading.differences import even_shares
from trueup.parity.data.reading.edges import at_edge
from trueup.parity.data.reading.survey import PAGE_BYTES, PAGES_SAMPLED, survey
from trueup.parity.data.reading.tablepass import TablePass, in_order
from trueup.parity.data.sides.lockstep import Lockstep
from trueup.report.model import Verdict

EMPTY = "empty on both sides"
EMPTY_WINDOW = "no row of those asked for on either side"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Is one part of a table, whose `pair` reads the rows of its span alone."""

    pair: TablePair
    number: int = 0
    total: int = 1

    @property
    def span(self) -> Span:
        """Return which rows it is of: plain integers, to be remembered and given to `TablePair.within` again."""
        return self.pair.source.span

    def __str__(self) -> str:
        return f"{self.pair.table}, {self.span}" if self.total > 1 else str(self.pair.table)


def segments(both: Lockstep, pair: TablePair, *, segment_bytes: int | None = None) -> tuple[Segment, ...]:
    """Return the table as one segment, or as several of about that many bytes of the table's file.

    A table without a key is one segment always.

    Raises:
        Unverifiable: a side can't be read.
    """
    if segment_bytes is None or not pair.source.key:
        return (Segment(pair=pair),)
    sizes = both.run(
        lambda source: source.rows(statements.size(pair.source)),
        lambda target: target.rows(statements.size(pair.target)),
    )
    table_bytes = max(bytes_ for [(bytes_,)] in sizes)
    wanted = -(-table_bytes // segment_bytes)
    spans = _ranges(both, pair, wanted, table_bytes) if pair.source.has_integer_key else _parts(wanted)
    found = tuple(spans) if wanted > 1 else (pair.source.span,)
    return tuple(Segment(pair=pair.within(span), number=number, total=len(found)) for number, span in enumerate(found))


def _ranges(both: Lockstep, pair: TablePair, wanted: int, table_bytes: int) -> Iterator[Span]:
    percent = min(100.0, 100 * PAGES_SAMPLED * PAGE_BYTES / max(1, table_bytes))
    answers = both.run(
        lambda source: source.rows(statements.sample(pair.source, percent)),
        lambda target: target.rows(statements.sample(pair.target, percent)),
    )
    bounds = even_bounds((int(key) for (key,) in chain.from_iterable(answers)), buckets=wanted)
    for low, high in zip((None, *bounds), (*bounds, None), strict=True):
        yield Span(low=low, high=high)


def _parts(wanted: int) -> Iterator[Span]:
    parts = power_of_two(wanted - 1)
    for part in range(parts):
        yield Span(part=part, parts=parts)


def _unread(pair: TablePair, error: Unverifiable, seconds: float) -> TableComparison:
    return TableComparison(
        table=str(pair.table),
        verdict=Verdict.INCONCLUSIVE,
        columns_not_compared=pair.columns_not_compared,
        reason=str(error),
        seconds=seconds,
    )


def compare_segment(both: Lockstep, segment: Segment, *, max_rows: int) -> TableComparison:
    """Return what differs in a segment: at most `max_rows` rows listed, the counts exact.

    What can't be read is inconclusive, with the reason.

    Raises:
        Disconnected: a server went away.
    """
    started, pair = perf_counter(), segment.pair
    try:
        with both.savepoint():
            salt = secrets.randbits(63)
            table = TablePass(both, pair, salt=salt, max_rows=max_rows)
            source_rows, target_rows = table.run(survey(both, pair, salt=salt, share=1 / segment.total))
            missing, extra, keys = table.keys()
            edge = at_edge(both, pair, missing, extra, salt)
            changed = table.changed_rows(
                in_order((*keys, *edge.changed), as_integers=pair.source.has_integer_key) if edge.changed else keys
            )
    except Disconnected:
        raise
    except Unverifiable as error:
        return _unread(pair, error, perf_counter() - started)
    found = table.found
    missing_count = found.missing.count - len(missing) + len(edge.missing)
    extra_count = found.extra.count - len(extra) + len(edge.extra)
    changed_count = found.changed.count + len(edge.changed)
    empty = EMPTY if pair.source.is_whole else EMPTY_WINDOW
    reason = pair.gap or (None if source_rows or target_rows else empty)
    return TableComparison(
        table=str(pair.table),
        verdict=Verdict.FAILED
        if missing_count or extra_count or changed_count
        else Verdict.INCONCLUSIVE
        if reason or pair.is_sampled
        else Verdict.PASSED,
        source_rows=source_rows,
        target_rows=target_rows,
        key=tuple(one.name for one in pair.target.key),
        missing=edge.missing,
        extra=edge.extra,
        changed=changed,
        missing_count=missing_count,
        extra_count=extra_count,
        changed_count=changed_count,
        columns_not_compared=pair.columns_not_compared,
        is_sample=pair.is_sampled,
        reason=reason,
        seconds=perf_counter() - started,
    )


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
