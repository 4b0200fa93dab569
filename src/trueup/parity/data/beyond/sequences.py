"""Whether each sequence is past the values of the columns that it feeds.

A copy that leaves sequences behind works, until the first insert.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql

from trueup.errors import Disconnected, Unverifiable
from trueup.parity.data.sides.lockstep import Side, savepoint, unverifiable
from trueup.parity.schema import Catalog, ColumnName, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceBehind:
    """Is a sequence whose next value its column has already reached."""

    sequence: str
    column: str
    """As SQL names it: `public.clients.id`."""
    next_value: int
    reached: int
    """The column's greatest value within the sequence's bounds, or its least where the sequence counts down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceCheck:
    """Is what was found about the sequences of one side."""

    compared: int
    """Pairs of a sequence and a column that it feeds."""
    behind: tuple[SequenceBehind, ...]
    not_compared: tuple[str, ...]
    """Each with the reason: `public.clients_id_seq: permission denied …`."""


def sequences_behind(side: Side) -> SequenceCheck:
    """Compare every sequence that is an identity's, is owned by a column, or feeds one by its default.

    A sequence that cycles is behind only where the very next value is taken.

    Raises:
        Disconnected: the server went away.
    """
    compared, behind, left_out = 0, [], []
    for sequence, column in _feeds(side.catalog):
        fed = side.catalog.tables[column.relation].columns[column.column]
        if fed.value_type.category != "N":
            left_out.append(f"{sequence.name}: {column} is {fed.type}, not a number")
            continue
        try:
            with savepoint(side.snapshot), unverifiable(side.snapshot):
                found = _compare(side, sequence, column)
        except Disconnected:
            raise
        except Unverifiable as error:
            left_out.append(f"{sequence.name}: {error}")
            continue
        compared += 1
        behind += [found] if found else []
    return SequenceCheck(compared=compared, behind=tuple(behind), not_compared=tuple(left_out))


def _feeds(catalog: Catalog) -> Iterator[tuple[Sequence, ColumnName]]:
    """Yield every sequence with every column that it feeds; a partition's column counts as its parent's."""
    for sequence in catalog.sequences.values():
        owner = (sequence.owner,) if sequence.owner and sequence.owner not in sequence.feeds else ()
        columns = sequence.feeds + owner
        for column in columns:
            parents = catalog.tables[column.relation].parents
            if not any(ColumnName(*parent, column.column) in columns for parent in parents):
                yield sequence, column


def _compare(side: Side, sequence: Sequence, column: ColumnName) -> SequenceBehind | None:
    [(last_value, is_called)] = side.snapshot.rows(
        sql.SQL("select last_value, is_called from {}").format(sql.Identifier(*sequence.name))
    )
    next_value = next_of(sequence, last_value, is_called=is_called)
    if next_value is None:
        return None
    [(reached,)] = side.snapshot.rows(_reached(side, sequence, column, next_value))
    if reached is None or (next_value > reached if sequence.increment > 0 else next_value < reached):
        return None
    return SequenceBehind(sequence=str(sequence.name), column=str(column), next_value=next_value, reached=int(reached))


def next_of(sequence: Sequence, last_value: int, *, is_called: bool) -> int | None:
    """Return what nextval would give; None where it would fail, as the sequence is used up."""
    if not is_called:
        return last_value
    following = last_value + sequence.increment
    if sequence.minimum <= following <= sequence.maximum:
        return following
    if not sequence.cycles:
        return None
    return sequence.minimum if sequence.increment > 0 else sequence.maximum


def _reached(side: Side, sequence: Sequence, column: ColumnName, next_value: int) -> sql.Composed:
    """Ask how far the column is, among the values that the sequence can give."""
    low, high = (next_value, next_value) if sequence.cycles else (sequence.minimum, sequence.maximum)
    table = side.catalog.tables[column.relation]
    return sql.SQL("select {}(t.{}) from {}{} as t where t.{} between {}::int8 and {}::int8").format(
        sql.SQL("max" if sequence.increment > 0 else "min"),
        sql.Identifier(column.column),
        sql.SQL("" if table.kind == "partitioned table" else "only "),
        sql.Identifier(*column.relation),
        sql.Identifier(column.column),
        sql.Literal(str(low)),
        sql.Literal(str(high)),
    )
