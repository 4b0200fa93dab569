"""What one segment of a table says of its rows: the same as the table's comparison says of the whole."""

import secrets
from dataclasses import dataclass
from time import perf_counter

from trueup.errors import Disconnected, Unverifiable
from trueup.parity.data.model import ChangedRow, TableComparison
from trueup.parity.data.pairing.pairs import TablePair
from trueup.parity.data.reading.differences import Differences
from trueup.parity.data.reading.edges import Edge, at_edge
from trueup.parity.data.reading.segments import Segment
from trueup.parity.data.reading.survey import survey
from trueup.parity.data.reading.tablepass import TablePass, in_order
from trueup.parity.data.sides.lockstep import Lockstep
from trueup.report.model import Verdict

EMPTY = "empty on both sides"
EMPTY_WINDOW = "no row of those asked for on either side"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Is what reading a segment found."""

    rows: tuple[int, int]
    """Of source and target."""
    differences: Differences
    edge: Edge
    """The listed rows of one side, after a look beyond the window."""
    changed: tuple[ChangedRow, ...]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Return how many rows are missing, extra and changed: those of the window, put right at its edge."""
        found, edge = self.differences, self.edge
        return (
            found.missing.count - len(found.missing.ids) + len(edge.missing),
            found.extra.count - len(found.extra.ids) + len(edge.extra),
            found.changed.count + len(edge.changed),
        )


def compare_segment(both: Lockstep, segment: Segment, *, max_rows: int) -> TableComparison:
    """Return what differs in a segment: at most `max_rows` rows listed, the counts exact.

    What can't be read is inconclusive, with the reason.

    Raises:
        Disconnected: a server went away.
    """
    started = perf_counter()
    try:
        with both.savepoint():
            found = _read(both, segment, max_rows)
    except Disconnected:
        raise
    except Unverifiable as error:
        return _unread(segment.pair, error, perf_counter() - started)
    return _told(segment.pair, found, perf_counter() - started)


def _read(both: Lockstep, segment: Segment, max_rows: int) -> Found:
    pair, salt = segment.pair, secrets.randbits(63)
    table = TablePass(both, pair, salt=salt, max_rows=max_rows)
    rows = table.run(survey(both, pair, salt=salt, share=1 / segment.total))
    missing, extra, keys = table.keys()
    edge = at_edge(both, pair, missing, extra, salt)
    if edge.changed:
        keys = in_order((*keys, *edge.changed), as_integers=pair.source.has_integer_key)
    return Found(rows=rows, differences=table.found, edge=edge, changed=table.changed_rows(keys))


def _unread(pair: TablePair, error: Unverifiable, seconds: float) -> TableComparison:
    return TableComparison(
        table=str(pair.table),
        verdict=Verdict.INCONCLUSIVE,
        columns_not_compared=pair.columns_not_compared,
        reason=str(error),
        seconds=seconds,
    )


def _told(pair: TablePair, found: Found, seconds: float) -> TableComparison:
    empty = EMPTY if pair.source.is_whole else EMPTY_WINDOW
    reason = pair.gap or (None if any(found.rows) else empty)
    verdict = Verdict.INCONCLUSIVE if reason or pair.is_sampled else Verdict.PASSED
    missing_count, extra_count, changed_count = found.counts
    return TableComparison(
        table=str(pair.table),
        verdict=Verdict.FAILED if any(found.counts) else verdict,
        source_rows=found.rows[0],
        target_rows=found.rows[1],
        key=tuple(one.name for one in pair.target.key),
        missing=found.edge.missing,
        extra=found.edge.extra,
        changed=found.changed,
        missing_count=missing_count,
        extra_count=extra_count,
        changed_count=changed_count,
        columns_not_compared=pair.columns_not_compared,
        is_sample=pair.is_sampled,
        reason=reason,
        seconds=seconds,
    )
