"""Compares the rows of two databases exactly: one hashing pass a side, then only what differs.

A pass gives, for each bucket of keys, how many rows there are and the sum of their hashes, which are salted anew in
every run. Only the buckets that differ are read again, as keys and hashes; only the rows that differ a third time, as
one hash a column. No value of a row but its key leaves its server.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from time import monotonic

from trueup.parity.data.hashing.references import agreed_rules
from trueup.parity.data.limits.bounds import USUAL, Bounds
from trueup.parity.data.model import TableComparison
from trueup.parity.data.moving.recheck import Recheck, Rechecking, read_again
from trueup.parity.data.moving.watched import MOST_ROWS
from trueup.parity.data.pairing.pairs import TablePair, Unpaired
from trueup.parity.data.pairing.tables import pair_tables
from trueup.parity.data.pairing.window import ALL_OF_IT, Window
from trueup.parity.data.reading.admission import admitted
from trueup.parity.data.reading.counting import count_rows
from trueup.parity.data.reading.segments import segments
from trueup.parity.data.reading.union import merged
from trueup.parity.data.reading.verdicts import compare_segment
from trueup.parity.data.running.course import Progress, compare_pairs
from trueup.parity.data.running.ledger import Ledger
from trueup.parity.data.sides.lockstep import Lockstep, Side, lockstep
from trueup.parity.schema import Catalog
from trueup.settings import Conversion


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
    ledger: Ledger | None = None,
    executor: Executor | None = None,
    on_progress: Callable[[Progress | Rechecking], None] | None = None,
) -> tuple[TableComparison, ...]:
    """Return one comparison for every table of either side, or for each of `tables`, sorted by name.

    It keeps within its bounds; the counts are exact, however few rows are listed. A table that can't be read is
    inconclusive and stops no other. A partition is read as part of its parent. Only rows of the window are
    looked at. A paranoid comparison hashes with 128 bits, by two functions. With a recheck, rows that differ are
    read again, and called different only where they stay as they are.

    What ends it before its time, a lost server as well, leaves tables that say so (`is_stopped`) beside those that
    were compared. The ledger knows them also where the user interrupts it. Without an executor, which runs tasks in
    other processes or on other machines, threads of this process compare as much at a time as there are jobs.

    Raises:
        UsageError: a name of `tables` is not a table of either side, or a conversion or the window doesn't fit its
            columns.
        Refused: what the ledger knows is of another comparison.
        Disconnected: a server went away before any table was known.
    """
    ledger, started = ledger or Ledger(), monotonic()
    with lockstep(source.snapshot, target.snapshot, session=bounds.session) as both:
        catalogs = source.catalog, target.catalog
        pairs = matched(both, catalogs, tables=tables, conversions=conversions, window=window, is_paranoid=is_paranoid)
        ledger.meet(both)
        ledger.open(pairs, max_rows=bounds.max_rows, most_rows=MOST_ROWS if recheck else 0)
        compare_pairs(both, pairs, ledger, bounds=bounds, executor=executor, on_progress=on_progress)
    found = ledger.first_reading()
    if recheck is None or any(one.is_stopped for one in found):
        return ledger.comparisons()
    left = bounds.after(monotonic() - started)
    return read_again(source, target, pairs, found, recheck, bounds=left, on_progress=on_progress)


def matched(
    both: Lockstep,
    catalogs: tuple[Catalog, Catalog],
    *,
    tables: Iterable[str] | None = None,
    conversions: Iterable[Conversion] = (),
    window: Window = ALL_OF_IT,
    is_paranoid: bool = False,
) -> tuple[TablePair | Unpaired, ...]:
    """Return how each table is compared: in a way that both servers understand.

    Raises:
        UsageError: a name of `tables` is not a table of either side, or a conversion or the window doesn't fit its
            columns.
    """
    rules = agreed_rules(both, conversions=conversions, window=window, is_paranoid=is_paranoid)
    return admitted(both, pair_tables(*catalogs, tables=tables, rules=rules), window)


def compare_table(
    both: Lockstep, pair: TablePair | Unpaired, *, max_rows: int, segment_bytes: int | None = None
) -> TableComparison:
    """Return what differs in a table, read segment by segment where it is larger than `segment_bytes`."""
    if isinstance(pair, Unpaired):
        return count_rows(both, pair)
    parts = [compare_segment(both, one, max_rows=max_rows) for one in segments(both, pair, segment_bytes=segment_bytes)]
    return merged(parts, max_rows=max_rows)
