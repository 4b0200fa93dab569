"""Holds a window against both servers before any row is read."""

from collections.abc import Iterable, Iterator

import psycopg

from trueup.db import Snapshot
from trueup.errors import Disconnected, Unverifiable, UsageError
from trueup.parity.data.hashing import looks
from trueup.parity.data.pairing.pairs import Reading, TablePair, Unpaired
from trueup.parity.data.pairing.window import Window
from trueup.parity.data.sides.lockstep import Lockstep, savepoint, unverifiable

Pair = TablePair | Unpaired
NOT_UNDERSTOOD = frozenset({"0A", "21", "22", "42"})
"""The classes of SQLSTATE that blame the text of a statement."""
SYNTAX_ERROR = "42601"
"""Its message quotes whatever stands where the server stopped to understand."""


def admitted(both: Lockstep, pairs: Iterable[Pair], window: Window) -> tuple[Pair, ...]:
    """Return the pairs, each with its share of a sample, after both servers have understood what is wanted of its rows.

    A table that the role can't read is returned as it is: its comparison says why.

    Raises:
        UsageError: a condition is not boolean SQL over the columns of a table.
        Disconnected: a server went away.
    """
    return tuple(_admitted(both, pairs, window)) if window else tuple(pairs)


def _admitted(both: Lockstep, pairs: Iterable[Pair], window: Window) -> Iterator[Pair]:
    for pair in pairs:
        if isinstance(pair, Unpaired):
            yield pair
            continue
        sides = ((both.source, pair.source), (both.target, pair.target))
        for snapshot, reading in sides:
            if reading.where or reading.since:
                _admit(snapshot, reading)
        if window.sample:
            rows = max(_estimate(snapshot, reading) for snapshot, reading in sides)
            yield pair.sampled(window.sample.parts(rows))
        else:
            yield pair


def _admit(snapshot: Snapshot, reading: Reading) -> None:
    try:
        with savepoint(snapshot), snapshot.connection.cursor(binary=True) as cursor:
            # Binary, so that the text is one statement and no more, whatever it holds.
            cursor.execute(looks.admission(reading))
    except Disconnected:
        raise
    except Unverifiable:
        return
    except psycopg.Error as error:
        if (error.sqlstate or "")[:2] not in NOT_UNDERSTOOD:
            return
        raise UsageError(
            f"{reading.table}: {snapshot.conninfo} does not take the condition on its rows: {_told(error)};"
            " --where is boolean SQL over the table's columns, --since a value of its column's type"
        ) from None


def _told(error: psycopg.Error) -> str:
    """Return what the server said, where that quotes names and types alone."""
    state = error.sqlstate or ""
    if state.startswith("42") and state != SYNTAX_ERROR and error.diag.message_primary:
        return error.diag.message_primary
    return f"{type(error).__name__} (SQLSTATE {state})"


def _estimate(snapshot: Snapshot, reading: Reading) -> int:
    """Return about how many rows there are; 0 where nobody says."""
    try:
        with savepoint(snapshot), unverifiable(snapshot):
            [([plan],)] = snapshot.rows(looks.estimate(reading))
    except Disconnected:
        raise
    except Unverifiable:
        return 0
    return int(plan["Plan"]["Plan Rows"])
