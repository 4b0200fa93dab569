"""Compares the rows of two databases exactly: one hashing pass a side, then only what differs.

A pass gives, for each bucket of keys, how many rows there are and the sum of their hashes, which are salted anew in
every run. Only the buckets that differ are read again, as keys and hashes; only the rows that differ a third time, as
one hash a column. No value of a row but its key leaves its server.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter

from trueup.errors import Disconnected, Unverifiable
from trueup.parity.data import statements
from trueup.parity.data.admission import admitted
from trueup.parity.data.bounds import USUAL, Bounds
from trueup.parity.data.lockstep import Lockstep, Side, lockstep, unverifiable
from trueup.parity.data.model import TableComparison
from trueup.parity.data.pairing import TablePair, Unpaired, pair_tables
from trueup.parity.data.recheck import Recheck, Rechecking, read_again
from trueup.parity.data.references import agreed_rules
from trueup.parity.data.segments import compare_segment, merged, segments
from trueup.parity.data.watched import MOST_ROWS
from trueup.parity.data.window import ALL_OF_IT, Window
from trueup.report.model import Verdict
from trueup.settings import Conversion


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Says which table is about to be compared."""

    table: str
    done: int
    total: int

    def __str__(self) -> str:
        return f"comparing rows of {self.table} ({self.done + 1} of {self.total} tables)"


def compare(
    source: Side,
    target: Side,
    *,
    tables: Iterable[str] | None = None,
    bounds: Bounds = USUAL,
    conversions: Iterable[Conversion] = (),
    window: Window = ALL_OF_IT,
    is_paranoid: bool = False,
    recheck: Recheck | None = None,
    on_progress: Callable[[Progress | Rechecking], None] | None = None,
) -> tuple[TableComparison, ...]:
    """Return one comparison for every table of either side, or for each of `tables`, sorted by name.

    It keeps within its bounds; the counts are exact, however few rows are listed. A table that can't be read is
    inconclusive and stops no other. A partition is read as part of its parent. Only rows of the window are
    looked at. A paranoid comparison hashes with 128 bits, by two functions. With a recheck, rows that differ are
    read again, and called different only where they stay as they are.

    Raises:
        UsageError: a name of `tables` is not a table of either side, or a conversion or the window doesn't fit its
            columns.
        Disconnected: a server went away.
    """
    found: Sequence[TableComparison] = ()
    with lockstep(source.snapshot, target.snapshot) as both:
        rules = agreed_rules(both, conversions=conversions, window=window, is_paranoid=is_paranoid)
        pairs = admitted(both, pair_tables(source.catalog, target.catalog, tables=tables, rules=rules), window)
        for done, pair in enumerate(pairs):
            if on_progress:
                on_progress(Progress(table=str(pair.table), done=done, total=len(pairs)))
            room = MOST_ROWS - sum(one.differing for one in found) if recheck else 0
            found = (*found, compare_table(both, pair, max_rows=max(bounds.max_rows, room)))
    if recheck:
        found = read_again(source, target, pairs, found, recheck, max_rows=bounds.max_rows, on_progress=on_progress)
    return tuple(found)


def compare_table(
    both: Lockstep, pair: TablePair | Unpaired, *, max_rows: int, segment_bytes: int | None = None
) -> TableComparison:
    """Return what differs in a table, read segment by segment where it is larger than `segment_bytes`."""
    if isinstance(pair, Unpaired):
        return count_rows(both, pair)
    parts = [compare_segment(both, one, max_rows=max_rows) for one in segments(both, pair, segment_bytes=segment_bytes)]
    return merged(parts, max_rows=max_rows)


def count_rows(both: Lockstep, alone: Unpaired) -> TableComparison:
    """Return a table of one side: failed where the other has nothing of its name, with all its rows counted."""
    started, rows, reason = perf_counter(), None, alone.reason
    snapshot = both.source if alone.in_source else both.target
    try:
        with both.savepoint(), unverifiable(snapshot):
            [(rows,)] = snapshot.rows(statements.count(alone.reading))
    except Disconnected:
        raise
    except Unverifiable as error:
        reason = f"{reason}, and its rows could not be counted: {error}"
    lost = rows or 0 if alone.is_absent else 0
    return TableComparison(
        table=str(alone.table),
        verdict=Verdict.FAILED if alone.is_absent else Verdict.INCONCLUSIVE,
        source_rows=rows if alone.in_source else None,
        target_rows=None if alone.in_source else rows,
        missing_count=lost if alone.in_source else 0,
        extra_count=0 if alone.in_source else lost,
        reason=reason,
        seconds=perf_counter() - started,
    )
