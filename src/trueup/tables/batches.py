"""Rows on their way to the server: grouped by the columns they set, checked, without duplicates, sorted by key.

Works by column rather than by row, so that most of it runs at the speed of C. Does no I/O.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from operator import le
from types import NoneType
from typing import Any, Literal, NoReturn, TypeVar

from msgspec import UnsetType

from trueup.tables.contract import Column, Table
from trueup.tables.encoding import BadValue
from trueup.tables.errors import DuplicateKeys, InvalidValue, StatementRefused, TenantMissing
from trueup.tables.rows import column_reader_of, written
from trueup.tables.tenants import Row, row_with_tenant
from trueup.tables.texts import Writer, write_texts, writer_of

R = TypeVar("R")

OnDuplicate = Literal["error", "first", "last"]
Bad = dict[int, tuple[str, str, str]]
"""The column, the SQLSTATE and the reason of each bad row, by its index."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Is one row that was not written, and why."""

    position: int
    """Of the row among those that were given, from 0."""
    key: tuple[Any, ...]
    """The values of its conflict key."""
    sqlstate: str
    constraint: str | None = None
    column: str | None = None
    reason: str | None = None
    """In words, where it was found before anything was sent."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Is rows that set the same columns."""

    names: tuple[str, ...]
    columns: Sequence[Sequence[Any]]
    """The values of each column, None for NULL."""
    positions: Sequence[int]
    """Where each row stood in the call."""
    keys: Sequence[tuple[Any, ...]] = ()
    """The conflict key of each row, once prepared."""
    writers: Sequence[Writer] = ()
    """What writes the values of each column, once prepared."""

    def __len__(self) -> int:
        return len(self.positions)

    def take(self, items: Sequence[int]) -> "Batch":
        """Return the batch of some of its rows, by their indexes."""
        columns = [[column[i] for i in items] for column in self.columns]
        positions = [self.positions[i] for i in items]
        return replace(self, columns=columns, positions=positions, keys=[self.keys[i] for i in items])

    def slice(self, begin: int, end: int) -> "Batch":
        """Return the batch of the rows from `begin` to before `end`."""
        columns = [column[begin:end] for column in self.columns]
        return replace(self, columns=columns, positions=self.positions[begin:end], keys=self.keys[begin:end])

    def without(self, items: Iterable[int]) -> "Batch":
        """Return the batch without some of its rows."""
        left_out = set(items)
        return self.take([i for i in range(len(self)) if i not in left_out]) if left_out else self


def group(table: Table[R], rows: Sequence[R | Row], tenant: Row) -> list[Batch]:
    """Return the rows in one batch for each set of columns that they set, every one with its tenant.

    Raises:
        StatementRefused, UnknownColumn, TenantMissing: a row is none, or not one of the table's or the tenant's.
    """
    if {table.row} == set(map(type, rows)) and (batch := uniform(table, rows)):
        return [bound(table, batch, tenant)]
    shapes: dict[tuple[str, ...], tuple[list[list[Any]], list[int]]] = {}
    for position, row in enumerate(rows):
        names, values = written(table, row)
        order = sorted(range(len(names)), key=names.__getitem__)
        lines, positions = shapes.setdefault(tuple(names[i] for i in order), ([], []))
        lines.append([values[i] for i in order])
        positions.append(position)
    batches = (Batch(names, list(zip(*lines, strict=True)), positions) for names, (lines, positions) in shapes.items())
    return [bound(table, batch, tenant) for batch in batches]


def uniform(table: Table[R], rows: Sequence[Any]) -> Batch | None:
    """Return rows of the row class as one batch, None if not all set the same columns."""
    names, columns = [], []
    for name in table.insertable:
        column = column_reader_of(name)(rows)
        classes = set(map(type, column))
        if UnsetType not in classes:
            names.append(name)
            columns.append(column)
        elif len(classes) > 1:
            return None
    return Batch(tuple(names), columns, range(len(rows)))


def bound(table: Table[Any], batch: Batch, tenant: Row) -> Batch:
    """Return the batch with the tenant of the repository.

    Raises:
        TenantMissing: a row has none, or another one.
    """
    if table.tenant is None:
        return batch
    if table.tenant in batch.names:
        for value in set(batch.columns[batch.names.index(table.tenant)]):
            row_with_tenant(table, table.tenant, tenant, (table.tenant,), [value])
        return batch
    if not tenant:
        raise TenantMissing(f"{table.name}: a row has no {table.tenant}")
    values = [tenant[table.tenant]] * len(batch)
    return Batch((*batch.names, table.tenant), [*batch.columns, values], batch.positions)


def prepare(table: Table[Any], batch: Batch) -> tuple[Batch, list[Rejected]]:
    """Return a batch ready to be sent, and the rows that it can't hold: a bad value, or NULL in the key; each once.

    Raises:
        StatementRefused: the batch lacks a column of the key.
    """
    if missing := [name for name in table.key if name not in batch.names]:
        raise StatementRefused(f"{table.name}.{missing[0]}: it is part of the conflict key and not set")
    keys = list(zip(*(batch.columns[batch.names.index(name)] for name in table.key), strict=True))
    bad: Bad = {}
    for name in table.key:
        check_key(name, batch.columns[batch.names.index(name)], bad)
    sent = [writable(table.column(name), values, bad) for name, values in zip(batch.names, batch.columns, strict=True)]
    columns, writers = zip(*sent, strict=True)
    rejected = [
        Rejected(batch.positions[i], keys[i], sqlstate, column=name, reason=reason)
        for i, (name, sqlstate, reason) in sorted(bad.items())
    ]
    return Batch(batch.names, columns, batch.positions, keys, writers).without(bad), rejected


def check_key(name: str, values: Sequence[Any], bad: Bad) -> None:
    """Note the rows that lack a part of the key."""
    null = (name, "23502", "is NULL, which equals no other NULL, in the conflict key")
    bad.update((i, null) for i, value in enumerate(values) if value is None)


def writable(column: Column, values: Sequence[Any], bad: Bad) -> tuple[Sequence[Any], Writer]:
    """Return the values of a column, as texts unless all are plain, and what writes them; note the bad ones."""
    has_null = NoneType in set(map(type, values))
    present = [value for value in values if value is not None] if has_null else list(values)
    if not present or column.type.is_plain(present):
        return values, writer_of(column.type)
    texts: list[str | None] = []
    for i, value in enumerate(values):
        try:
            texts.append(None if value is None else column.type.encode(value))
        except BadValue as error:
            texts.append(None)
            bad.setdefault(i, (column.name, error.sqlstate, error.reason))
    return texts, write_texts


def refuse(table: Table[Any], rejected: Rejected) -> NoReturn:
    """Raise a bad value as an error."""
    raise InvalidValue(
        f"of row {rejected.position} {rejected.reason}",
        table=table.name,
        column=rejected.column or "",
        sqlstate=rejected.sqlstate,
    )


def deduplicate(table: Table[Any], batches: list[Batch], on_duplicate: OnDuplicate) -> tuple[list[Batch], int]:
    """Return the batches with one row for each key, and how many rows were left out for that.

    Raises:
        DuplicateKeys: rows share a key, and that was to be an error.
    """
    total = sum(map(len, batches))
    if len(set(chain.from_iterable(batch.keys for batch in batches))) == total:
        return batches, 0
    chosen: dict[tuple[Any, ...], int] = {}
    for batch in batches:
        for key, position in zip(batch.keys, batch.positions, strict=True):
            known = chosen.setdefault(key, position)
            if known != position and (position > known) == (on_duplicate != "first"):
                chosen[key] = position
    kept = set(chosen.values())
    left_out = [[i for i, position in enumerate(batch.positions) if position not in kept] for batch in batches]
    if on_duplicate == "error":
        positions = sorted(batch.positions[i] for batch, items in zip(batches, left_out, strict=True) for i in items)
        shown = ", ".join(map(str, positions[:10])) + (" and more" if len(positions) > 10 else "")
        raise DuplicateKeys(
            f"{table.name}: {len(positions)} rows have the key of a later one (positions {shown}); choose"
            ' on_duplicate="first" or "last"'
        )
    reduced = [batch.without(items) for batch, items in zip(batches, left_out, strict=True)]
    return [batch for batch in reduced if len(batch)], total - len(chosen)


def sort(batch: Batch) -> Batch:
    """Return the batch in the order of its keys, so that two writers never wait for each other in a circle."""
    deciding = [column for column in zip(*batch.keys, strict=True) if column.count(column[0]) < len(column)]
    keys: Sequence[Any] = deciding[0] if len(deciding) == 1 else batch.keys
    if all(map(le, keys, keys[1:])):
        return batch
    return batch.take(sorted(range(len(keys)), key=keys.__getitem__))
