"""Counts the rows of a table that has no counterpart."""

from time import perf_counter

from trueup.errors import Disconnected, Unverifiable
from trueup.parity.data.hashing import looks
from trueup.parity.data.model import TableComparison
from trueup.parity.data.pairing.pairs import Unpaired
from trueup.parity.data.sides.lockstep import Lockstep, unverifiable
from trueup.report.model import Verdict


def count_rows(both: Lockstep, alone: Unpaired) -> TableComparison:
    """Return a table of one side: failed where the other has nothing of its name, with all its rows counted."""
    if alone.is_nowhere:
        return TableComparison(table=str(alone.table), verdict=Verdict.INCONCLUSIVE, reason=alone.reason)
    started, rows, reason = perf_counter(), None, alone.reason
    snapshot = both.source if alone.in_source else both.target
    try:
        with both.savepoint(), unverifiable(snapshot):
            [(rows,)] = snapshot.rows(looks.count(alone.reading))
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
