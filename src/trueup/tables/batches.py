"""Rows on their way to the server: grouped by the columns they set, and checked.

Works by column rather than by row, so that most of it runs at the speed of C. Does no I/O.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from types import NoneType
from typing import Any, NoReturn, TypeVar

from msgspec import UnsetType
from psycopg.adapt import Dumper

from trueup.tables.contract import UNSET, Column, Table
from trueup.tables.encoding import BadValue, faithful_json
from trueup.tables.errors import InvalidValue
from trueup.tables.ordering import Bad, Key, Ordered, Rejected, key_at, rejected
from trueup.tables.rows import classes_of, column_reader_of, written
from trueup.tables.sql_types import Family
from trueup.tables.tenants import Row

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
    classes: Sequence[set[type]]
    """Of the values of each column; none of one whose values need not be looked at."""
    dumpers: Sequence[type[Dumper]] = ()
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
    if given.are_rows and given.rows and (batch := uniform(table, given)):
        return [bound(table, batch, tenant)]
    shapes: dict[tuple[str, ...], tuple[list[list[Any]], list[int]]] = {}
    for row, position in zip(given.rows, given.positions, strict=True):
        names, values = written(table, row)
        order = sorted(range(len(names)), key=names.__getitem__)
        lines, positions = shapes.setdefault(tuple(names[i] for i in order), ([], []))
        lines.append([values[i] for i in order])
        positions.append(position)
    parts = ((names, list(zip(*lines, strict=True)), positions) for names, (lines, positions) in shapes.items())
    return [
        bound(table, Batch(names, columns, positions, given.key, [*map(classes_of, columns)]), tenant)
        for names, columns, positions in parts
    ]


def uniform(table: Table[R], given: Ordered) -> Batch | None:
    """Return rows of the row class as one batch, None if not all set the same columns."""
    columns: dict[str, list[Any]] = {}
    classes: dict[str, set[type]] = {}
    for name in table.insertable:
        if name in given.plain:
            columns[name], classes[name] = [given.plain[name][i] for i in given.positions], set()
            continue
        column = column_reader_of(name)(given.rows)
        if column[0] is not UNSET:
            columns[name], classes[name] = column, classes_of(column)
            if UnsetType in classes[name]:
                return None
        elif column.count(UNSET) < len(column):
            return None
    return Batch(tuple(columns), [*columns.values()], given.positions, given.key, [*classes.values()])


def bound(table: Table[Any], batch: Batch, tenant: Row) -> Batch:
    """Return the batch with the tenant of the repository, where its rows leave that out."""
    if table.tenant is None or table.tenant in batch.names:
        return batch
    value = tenant[table.tenant]
    return replace(
        batch,
        names=(*batch.names, table.tenant),
        columns=[*batch.columns, [value] * len(batch)],
        classes=[*batch.classes, {type(value)}],
    )


def prepare(table: Table[Any], batch: Batch) -> tuple[Batch, list[Rejected]]:
    """Return a batch ready to be sent, and the rows with a value that its column can't hold, each once."""
    bad: Bad = {}
    columns = [table.column(name) for name in batch.names]
    ready = replace(
        batch,
        columns=[writable(*each, bad) for each in zip(columns, batch.columns, batch.classes, strict=True)],
        dumpers=[column.type.dumper for column in columns],
    )
    if not bad:
        return ready, []
    return ready.without(bad), [rejected(batch.key, batch.positions[i], reason) for i, reason in sorted(bad.items())]


def writable(column: Column, values: Sequence[Any], classes: set[type], bad: Bad) -> Sequence[Any]:
    """Return the values of a column as its dumper takes them; note the bad ones."""
    kind = column.type
    present = [value for value in values if value is not None] if NoneType in classes else values
    texts: Sequence[str] | None
    kinds = classes - {NoneType}
    if not kinds or kind.is_plain(present, kinds):
        if kind.texts is None:
            return values
        texts = kind.texts(present)
    else:
        texts = faithful_json(present) if kind.family in JSON_FAMILIES else None
    if texts is None:
        return checked(column, values, bad)
    return texts if present is values else with_nulls(texts, values)


def with_nulls(texts: Iterable[str], values: Sequence[Any]) -> list[str | None]:
    """Return the texts of the values that are not None, and None for each that is."""
    present = iter(texts)
    return [None if value is None else next(present) for value in values]


def checked(column: Column, values: Sequence[Any], bad: Bad) -> list[Any]:
    """Return the values of a column as its dumper takes them, looked at one by one; note the bad ones."""
    kind = column.type
    taken: list[Any] = []
    for i, value in enumerate(values):
        try:
            text = None if value is None else kind.encode(value)
        except BadValue as error:
            bad.setdefault(i, (column.name, error.sqlstate, error.reason))
            taken.append(None)
        else:
            taken.append(text if kind.sent_as == "text" else value)
    return taken


def refuse(table: Table[Any], bad: Sequence[Rejected]) -> NoReturn:
    """Raise the first of some bad values as an error."""
    first = bad[0]
    raise InvalidValue(
        f"of row {first.position} {first.reason}", table=table.name, column=first.column or "", sqlstate=first.sqlstate
    )
