"""Rows on their way to the server: grouped by the columns they set, and checked.

Works by column rather than by row, so that most of it runs at the speed of C. Does no I/O.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from types import NoneType
from typing import Any, NoReturn, TypeVar

from msgspec import UnsetType

from trueup.tables.contract import Column, Table
from trueup.tables.encoding import BadValue, faithful_json
from trueup.tables.errors import InvalidValue
from trueup.tables.ordering import Bad, Key, Ordered, Rejected, key_at, rejected
from trueup.tables.rows import column_reader_of, written
from trueup.tables.sql_types import Family
from trueup.tables.tenants import Row
from trueup.tables.texts import ColumnWriter, write_texts, writer_of

R = TypeVar("R")

JSON_FAMILIES = frozenset({Family.JSON, Family.JSONB})


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Is rows that set the same columns."""

    names: tuple[str, ...]
    columns: Sequence[Sequence[Any]]
    """The values of each column, None for NULL."""
    positions: Sequence[int]
    """Where each row stood in the call."""
    key: Key
    """The columns of the conflict key, in the order of the call."""
    writers: Sequence[ColumnWriter] = ()
    """What writes the values of each column, once prepared."""

    def __len__(self) -> int:
        return len(self.positions)

    def key_of(self, item: int) -> tuple[Any, ...]:
        """Return the conflict key of one of its rows."""
        return key_at(self.key, self.positions[item])

    def take(self, items: Sequence[int]) -> "Batch":
        """Return the batch of some of its rows, by their indexes."""
        columns = [[column[i] for i in items] for column in self.columns]
        return replace(self, columns=columns, positions=[self.positions[i] for i in items])

    def slice(self, begin: int, end: int) -> "Batch":
        """Return the batch of the rows from `begin` to before `end`."""
        columns = [column[begin:end] for column in self.columns]
        return replace(self, columns=columns, positions=self.positions[begin:end])

    def without(self, items: Iterable[int]) -> "Batch":
        """Return the batch without some of its rows."""
        left_out = set(items)
        return self.take([i for i in range(len(self)) if i not in left_out]) if left_out else self


def group(table: Table[R], given: Ordered, tenant: Row) -> list[Batch]:
    """Return the rows in one batch for each set of columns that they set, every one with its tenant."""
    if {table.row} == set(map(type, given.rows)) and (batch := uniform(table, given)):
        return [bound(table, batch, tenant)]
    shapes: dict[tuple[str, ...], tuple[list[list[Any]], list[int]]] = {}
    for row, position in zip(given.rows, given.positions, strict=True):
        names, values = written(table, row)
        order = sorted(range(len(names)), key=names.__getitem__)
        lines, positions = shapes.setdefault(tuple(names[i] for i in order), ([], []))
        lines.append([values[i] for i in order])
        positions.append(position)
    parts = ((names, list(zip(*lines, strict=True)), positions) for names, (lines, positions) in shapes.items())
    return [bound(table, Batch(names, columns, positions, given.key), tenant) for names, columns, positions in parts]


def uniform(table: Table[R], given: Ordered) -> Batch | None:
    """Return rows of the row class as one batch, None if not all set the same columns."""
    names, columns = [], []
    for name in table.insertable:
        column = column_reader_of(name)(given.rows)
        classes = set(map(type, column))
        if UnsetType not in classes:
            names.append(name)
            columns.append(column)
        elif len(classes) > 1:
            return None
    return Batch(tuple(names), columns, given.positions, given.key)


def bound(table: Table[Any], batch: Batch, tenant: Row) -> Batch:
    """Return the batch with the tenant of the repository, where its rows leave that out."""
    if table.tenant is None or table.tenant in batch.names:
        return batch
    values = [tenant[table.tenant]] * len(batch)
    return replace(batch, names=(*batch.names, table.tenant), columns=[*batch.columns, values])


def prepare(table: Table[Any], batch: Batch) -> tuple[Batch, list[Rejected]]:
    """Return a batch ready to be sent, and the rows with a value that its column can't hold, each once."""
    bad: Bad = {}
    sent = [writable(table.column(name), values, bad) for name, values in zip(batch.names, batch.columns, strict=True)]
    columns, writers = zip(*sent, strict=True)
    ready = replace(batch, columns=columns, writers=writers)
    if not bad:
        return ready, []
    return ready.without(bad), [rejected(batch.key, batch.positions[i], reason) for i, reason in sorted(bad.items())]


def writable(column: Column, values: Sequence[Any], bad: Bad) -> tuple[Sequence[Any], ColumnWriter]:
    """Return the values of a column, as texts unless all are plain, and what writes them; note the bad ones."""
    classes = set(map(type, values))
    present = [value for value in values if value is not None] if NoneType in classes else values
    if not present or column.type.is_plain(present, classes - {NoneType}):
        return values, writer_of(column.type)
    if column.type.family in JSON_FAMILIES and (texts := faithful_json(present)) is not None:
        return (texts if present is values else with_nulls(texts, values)), write_texts
    return encoded(column, values, bad), write_texts


def with_nulls(texts: Iterable[str], values: Sequence[Any]) -> list[str | None]:
    """Return the texts of the values that are not None, and None for each that is."""
    present = iter(texts)
    return [None if value is None else next(present) for value in values]


def encoded(column: Column, values: Sequence[Any], bad: Bad) -> list[str | None]:
    """Return the values of a column as texts, written one by one; note the bad ones."""
    texts: list[str | None] = []
    for i, value in enumerate(values):
        try:
            texts.append(None if value is None else column.type.encode(value))
        except BadValue as error:
            texts.append(None)
            bad.setdefault(i, (column.name, error.sqlstate, error.reason))
    return texts


def refuse(table: Table[Any], bad: Sequence[Rejected]) -> NoReturn:
    """Raise the first of some bad values as an error."""
    first = bad[0]
    raise InvalidValue(
        f"of row {first.position} {first.reason}", table=table.name, column=first.column or "", sqlstate=first.sqlstate
    )
