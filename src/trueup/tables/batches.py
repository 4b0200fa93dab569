"""Rows on their way to the server: grouped by the columns they set, checked, sorted by key, cut into chunks of JSON.

Works by column rather than by row, so that most of it runs at the speed of C. Does no I/O.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import le
from typing import Any, Literal, TypeVar

import msgspec

from trueup.tables.bulk_statements import field_of
from trueup.tables.contract import UNSET, Column, Table
from trueup.tables.encoding import BadValue
from trueup.tables.errors import DuplicateKeys, InvalidValue, StatementRefused, TenantMissing
from trueup.tables.rows import reader_of, written
from trueup.tables.sql_types import Family
from trueup.tables.tenants import Row, row_with_tenant

R = TypeVar("R")

OnDuplicate = Literal["error", "first", "last"]
CHUNK_BYTES = 8 << 20
"""How much JSON one statement is given; a larger one gains nothing."""
SAMPLE_ROWS = 64


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


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Is rows that set the same columns."""

    names: tuple[str, ...]
    columns: list[Sequence[Any]]
    """The values of each column, None for NULL."""
    positions: Sequence[int]
    """Where each row stood in the call."""

    def __len__(self) -> int:
        return len(self.positions)

    def take(self, items: Sequence[int]) -> "Batch":
        """Return the batch of some of its rows, by their indexes."""
        return Batch(
            self.names, [[column[i] for i in items] for column in self.columns], [self.positions[i] for i in items]
        )

    def slice(self, begin: int, end: int) -> "Batch":
        """Return the batch of the rows from `begin` to before `end`."""
        return Batch(self.names, [column[begin:end] for column in self.columns], self.positions[begin:end])

    def without(self, items: Iterable[int]) -> "Batch":
        """Return the batch without some of its rows."""
        left_out = set(items)
        return self.take([i for i in range(len(self)) if i not in left_out]) if left_out else self

    def keys(self, table: Table[Any]) -> list[tuple[Any, ...]]:
        """Return the conflict key of each row."""
        return list(zip(*(self.columns[self.names.index(name)] for name in table.key), strict=True))


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
    for name, column in zip(table.insertable, zip(*map(reader_of(table), rows), strict=True), strict=True):
        unset = column.count(UNSET)
        if unset == 0:
            names.append(name)
            columns.append(column)
        elif unset < len(rows):
            return None
    return Batch(tuple(names), list(columns), range(len(rows)))


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


def check(table: Table[Any], batch: Batch) -> list[Rejected]:
    """Return the rows that hold a value which their column can't, or NULL in the key; each once.

    Raises:
        StatementRefused: the batch lacks a column of the key.
    """
    bad: dict[int, tuple[str, str]] = {}
    for name in table.key:
        if name not in batch.names:
            raise StatementRefused(f"{table.name}.{name}: it is part of the conflict key and not set")
        values = batch.columns[batch.names.index(name)]
        if None in values:
            bad.update({i: (name, "23502") for i, value in enumerate(values) if value is None})
    for name, values in zip(batch.names, batch.columns, strict=True):
        column = table.column(name)
        if not is_plain(column, values):
            for i, sqlstate in refused(column, values):
                bad.setdefault(i, (name, sqlstate))
    if not bad:
        return []
    keys = batch.keys(table)
    return [
        Rejected(position=batch.positions[i], key=keys[i], sqlstate=sqlstate, column=name)
        for i, (name, sqlstate) in sorted(bad.items())
    ]


def is_plain(column: Column, values: Sequence[Any]) -> bool:
    """Say whether the values of a column can be written as JSON as they are."""
    present = [value for value in values if value is not None] if None in values else list(values)
    return not present or column.type.is_json(present)


def refused(column: Column, values: Sequence[Any]) -> Iterator[tuple[int, str]]:
    """Give the index of each value that a column can't hold, and what the server would answer."""
    write = column.type.encode
    for i, value in enumerate(values):
        if value is not None:
            try:
                write(value)
            except BadValue as error:
                yield i, error.sqlstate


def refuse(table: Table[Any], batch: Batch, bad: Sequence[Rejected]) -> None:
    """Raise the first of the bad values as an error."""
    first = bad[0]
    index = list(batch.positions).index(first.position)
    column = table.column(first.column or "")
    value = batch.columns[batch.names.index(column.name)][index]
    place = f"{table.name}.{column.name}: row {first.position} of the call"
    if value is None:
        raise StatementRefused(f"{place}: it is part of the conflict key and NULL, which equals no other NULL")
    try:
        column.type.encode(value)
    except BadValue as error:
        raise InvalidValue(
            f"of row {first.position} {error.reason}", table=table.name, column=column.name, sqlstate=error.sqlstate
        ) from None


def deduplicate(table: Table[Any], batches: list[Batch], on_duplicate: OnDuplicate) -> tuple[list[Batch], int]:
    """Return the batches with one row for each key, and how many rows were left out for that.

    Raises:
        DuplicateKeys: rows share a key, and that was to be an error.
    """
    keys = [batch.keys(table) for batch in batches]
    total = sum(map(len, keys))
    if len(set(chain.from_iterable(keys))) == total:
        return batches, 0
    chosen: dict[tuple[Any, ...], int] = {}
    for batch, batch_keys in zip(batches, keys, strict=True):
        for key, position in zip(batch_keys, batch.positions, strict=True):
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


def sort(table: Table[Any], batch: Batch) -> Batch:
    """Return the batch in the order of its keys, so that two writers never wait for each other in a circle."""
    keys: list[Any] = list(batch.columns[batch.names.index(table.key[0])])
    if len(table.key) > 1:
        keys = batch.keys(table)
    if all(map(le, keys, keys[1:])):
        return batch
    return batch.take(sorted(range(len(keys)), key=keys.__getitem__))


@lru_cache(64)
def object_of(width: int) -> type[msgspec.Struct]:
    """Return the class of JSON objects with so many columns; NULLs are left out of them."""
    fields: list[tuple[str, Any, Any]] = [(field_of(index), Any, None) for index in range(width)]
    return msgspec.defstruct("Object", fields, omit_defaults=True, gc=False)


def encode_batch(table: Table[Any], batch: Batch) -> bytes:
    """Return a batch as a JSON array of objects; its values have been checked."""
    columns = [
        encode_column(table.column(name), values) for name, values in zip(batch.names, batch.columns, strict=True)
    ]
    return msgspec.json.encode(list(map(object_of(len(columns)), *columns)))


def encode_column(column: Column, values: Sequence[Any]) -> Sequence[Any]:
    """Return the values of a column, those that JSON has no form for as the texts that the server reads."""
    if column.type.family in {Family.JSON, Family.JSONB} or is_plain(column, values):
        return values
    write = column.type.encode
    return [None if value is None else write(value) for value in values]


def chunks(table: Table[Any], batch: Batch, limit: int = CHUNK_BYTES) -> Iterator[tuple[Batch, bytes]]:
    """Give a batch in parts of about `limit` bytes of JSON; a single row may be larger."""
    step = max(1, len(batch) // SAMPLE_ROWS)
    sample = batch.take(range(0, len(batch), step))
    row_bytes = len(encode_batch(table, sample)) / len(sample)
    size = max(1, int(limit / row_bytes))
    for begin in range(0, len(batch), size):
        yield from halves(table, batch.slice(begin, begin + size), limit)


def halves(table: Table[Any], batch: Batch, limit: int) -> Iterator[tuple[Batch, bytes]]:
    """Give a batch as it is, or in halves where its rows turn out to be larger than the sample was."""
    payload = encode_batch(table, batch)
    if len(payload) <= 2 * limit or len(batch) == 1:
        yield batch, payload
        return
    del payload
    middle = len(batch) // 2
    yield from halves(table, batch.slice(0, middle), limit)
    yield from halves(table, batch.slice(middle, len(batch)), limit)
