"""Which rows of a table are read: a part or a span of it, and what the user leaves of them. Does no I/O."""

from collections.abc import Sequence

from psycopg import sql

from trueup.parity.data.hashing.expressions import column, hashes, int8, key_hash, values
from trueup.parity.data.pairing.pairs import Floor, Reading
from trueup.parity.data.pairing.span import Span
from trueup.parity.data.pairing.window import SAMPLE_PARTS

PART_SEED = 0
"""Of the hash that cuts a table into parts, which must be the same in every run."""
SAMPLE_SEED = 1
"""Of the hash that chooses a sample, the same rows in every run; another, so that each part has its share of them."""


def relation(reading: Reading) -> sql.Composed:
    """Return what rows are read from."""
    only = sql.SQL("" if reading.has_partitions else "only ")
    return sql.SQL("{}{} as t").format(only, sql.Identifier(*reading.table))


def where(reading: Reading) -> sql.Composable:
    """Return the clause that leaves the rows that are read."""
    return where_all(conditions(reading))


def conditions(reading: Reading) -> list[sql.Composable]:
    """Return what holds for every row that is read: the user's condition, and the bounds of the span."""
    span = reading.span
    found: list[sql.Composable] = list(between(reading, span))
    if span.parts > 1:
        part = sql.SQL("({} & {}) = {}").format(key_hash(reading, PART_SEED), int8(span.parts - 1), int8(span.part))
        found.append(part)
    return found + _wanted(reading)


def _wanted(reading: Reading) -> list[sql.Composable]:
    """Return what the user leaves of the rows."""
    # The newline ends a comment.
    found: list[sql.Composable] = [sql.SQL("({}\n)").format(sql.SQL(one)) for one in reading.where]
    if reading.since:
        found.append(since_floor(reading.since))
    if reading.sample_parts is not None:
        number = hashes(reading, values(reading), int8(SAMPLE_SEED))[0]
        if reading.key:
            number = key_hash(reading, SAMPLE_SEED)
        limit = int8(reading.sample_parts)
        found.append(sql.SQL("({} & {}) < {}").format(number, int8(SAMPLE_PARTS - 1), limit))
    return found


def since_floor(since: Floor) -> sql.Composed:
    """Return what holds for the rows from a value of a column on."""
    # No collation of either server, so that both have the same rows.
    order = sql.SQL(' collate "C"' if since.column.value_type.category == "S" else "")
    return sql.SQL("{}{} >= {}").format(column(since.column), order, sql.Literal(since.value))


def between(reading: Reading, span: Span) -> list[sql.Composed]:
    """Return what holds for the rows whose integer key is in a span."""
    ends = (("{} >= {}", span.low), ("{} < {}", span.high))
    return [sql.SQL(text).format(column(reading.key[0]), int8(end)) for text, end in ends if end is not None]


def where_all(conditions: Sequence[sql.Composable]) -> sql.Composable:
    """Return the clause that leaves the rows for which all conditions hold."""
    return sql.SQL("where {}").format(conjunction(conditions)) if conditions else sql.Composed([])


def conjunction(conditions: Sequence[sql.Composable]) -> sql.Composable:
    """Return all conditions as one."""
    return sql.SQL("({})").format(sql.SQL(" and ").join(conditions)) if conditions else sql.SQL("true")
