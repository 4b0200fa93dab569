"""Compares the rows of two databases exactly: one hashing pass a side, then only what differs.

A pass gives, for each bucket of keys, how many rows there are and the sum of their hashes, which are salted anew in
every run. Only the buckets that differ are read again, as keys and hashes; only the rows that differ a third time, as
one hash a column. No value of a row but its key leaves its server.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter

from trueup.errors import Disconnected, Unverifiable
from trueup.parity.data import statements
from trueup.parity.data.lockstep import Lockstep, Side, lockstep, unverifiable
from trueup.parity.data.model import TableComparison
from trueup.parity.data.pairing import TablePair, Unpaired, pair_tables
from trueup.parity.data.tablepass import TablePass, in_order
from trueup.report.model import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Says which table is about to be compared."""

    table: str
    done: int
    total: int


def compare(
    source: Side,
    target: Side,
    *,
    tables: Iterable[str] | None = None,
    max_rows: int = 1_000,
    on_progress: Callable[[Progress], None] | None = None,
) -> tuple[TableComparison, ...]:
    """Return one comparison for every table of either side, or for each of `tables`, sorted by name.

    At most `max_rows` differing rows of a table are listed; the counts are exact. A table that can't be read is
    inconclusive and stops no other. A partition is read as part of its parent.

    Raises:
        UsageError: a name of `tables` is not a table of either side.
        Disconnected: a server went away.
    """
    encodings = {side.snapshot.connection.info.parameter_status("server_encoding") for side in (source, target)}
    pairs = pair_tables(source.catalog, target.catalog, tables=tables, to_utf8=len(encodings) > 1)
    found = []
    with lockstep(source.snapshot, target.snapshot) as both:
        for done, pair in enumerate(pairs):
            if on_progress:
                on_progress(Progress(table=str(pair.table), done=done, total=len(pairs)))
            if isinstance(pair, Unpaired):
                found.append(_count_rows(both, pair))
            else:
                found.append(_compare_rows(both, pair, max_rows))
    return tuple(found)


def _count_rows(both: Lockstep, alone: Unpaired) -> TableComparison:
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


def _compare_rows(both: Lockstep, pair: TablePair, max_rows: int) -> TableComparison:
    started = perf_counter()
    try:
        with both.savepoint():
            table = TablePass(both, pair, salt=secrets.randbits(63), max_rows=max_rows)
            found, (source_rows, target_rows) = table.run()
            missing, extra, keys = (
                in_order(rows.keys, as_integers=pair.source.has_integer_key)
                for rows in (found.missing, found.extra, found.changed)
            )
            changed = table.changed_rows(keys)
    except Disconnected:
        raise
    except Unverifiable as error:
        return TableComparison(
            table=str(pair.table),
            verdict=Verdict.INCONCLUSIVE,
            columns_not_compared=pair.columns_not_compared,
            reason=str(error),
            seconds=perf_counter() - started,
        )
    reason = pair.gap or (None if source_rows or target_rows else "empty on both sides")
    return TableComparison(
        table=str(pair.table),
        verdict=Verdict.FAILED if found else Verdict.INCONCLUSIVE if reason else Verdict.PASSED,
        source_rows=source_rows,
        target_rows=target_rows,
        key=pair.source.key,
        missing=missing,
        extra=extra,
        changed=changed,
        missing_count=found.missing.count,
        extra_count=found.extra.count,
        changed_count=found.changed.count,
        columns_not_compared=pair.columns_not_compared,
        reason=reason,
        seconds=perf_counter() - started,
    )
