"""Rows on their way to the server: grouped by the columns they set, checked, sorted by key, cut into chunks of JSON.

Works by column rather than by row, so that most of it runs at the speed of C. Does no I/O.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import attrgetter, le
from types import NoneType
from typing import Any, Literal, NoReturn, TypeVar

import msgspec
from msgspec import UnsetType

from trueup.tables.bulk_statements import field_of
from trueup.tables.contract import Column, Table
from trueup.tables.encoding import BadValue
from trueup.tables.errors import DuplicateKeys, InvalidValue, StatementRefused, TenantMissing
from trueup.tables.rows import written
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
    reason: str | None = None
    """In words, where it was found before anything was sent."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Is rows that set the same columns."""

    names: tuple[str, ...]
    columns: Sequence[Sequence[Any]]
    """The values of each column, None for NULL; once prepared, as JSON has them."""
    positions: Sequence[int]
    """Where each row stood in the call."""
    keys: Sequence[tuple[Any, ...]] = ()
    """The conflict key of each row, once prepared."""

    def __len__(self) -> int:
        return len(self.positions)

    def take(self, items: Sequence[int]) -> "Batch":
        """Return the batch of some of its rows, by their indexes."""
        columns = [list(map(column.__getitem__, items)) for column in self.columns]
        positions = [self.positions[i] for i in items]
        return Batch(self.names, columns, positions, [self.keys[i] for i in items] if self.keys else ())

    def slice(self, begin: int, end: int) -> "Batch":
        """Return the batch of the rows from `begin` to before `end`."""
        columns = [column[begin:end] for column in self.columns]
        return Batch(self.names, columns, self.positions[begin:end], self.keys[begin:end])

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
        column = list(map(attrgetter(name), rows))
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
    bad: dict[int, tuple[str, str, str]] = {}
    columns = [
        as_json(table.column(name), values, bad, is_key=name in table.key)
        for name, values in zip(batch.names, batch.columns, strict=True)
    ]
    rejected = [
        Rejected(batch.positions[i], keys[i], sqlstate, column=name, reason=reason)
        for i, (name, sqlstate, reason) in sorted(bad.items())
    ]
    return Batch(batch.names, columns, batch.positions, keys).without(bad), rejected


def as_json(
    column: Column, values: Sequence[Any], bad: dict[int, tuple[str, str, str]], *, is_key: bool
) -> Sequence[Any]:
    """Return the values of a column, those that JSON has no form for as texts; note the bad ones by their indexes."""
    has_null = NoneType in set(map(type, values))
    if has_null and is_key:
        null = (column.name, "23502", "is NULL, which equals no other NULL, in the conflict key")
        bad.update({i: null for i, value in enumerate(values) if value is None})
    present = [value for value in values if value is not None] if has_null else list(values)
    if not present or column.type.is_json(present):
        return values
    texts: list[Any] = []
    for i, value in enumerate(values):
        try:
            texts.append(None if value is None else column.type.encode(value))
        except BadValue as error:
            texts.append(None)
            bad.setdefault(i, (column.name, error.sqlstate, error.reason))
    return values if column.type.family in {Family.JSON, Family.JSONB} else texts


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


@lru_cache(64)
def object_of(width: int) -> type[msgspec.Struct]:
    """Return the class of JSON objects with so many columns; NULLs are left out of them."""
    fields: list[tuple[str, Any, Any]] = [(field_of(index), Any, None) for index in range(width)]
    return msgspec.defstruct("Object", fields, omit_defaults=True, gc=False)


def encode_batch(batch: Batch) -> bytes:
    """Return a batch as a JSON array of objects."""
    return msgspec.json.encode(list(map(object_of(len(batch.columns)), *batch.columns)))


def chunks(batch: Batch, limit: int = CHUNK_BYTES) -> Iterator[tuple[Batch, bytes]]:
    """Give a batch in parts of about `limit` bytes of JSON; a single row may be larger."""
    step = max(1, len(batch) // SAMPLE_ROWS)
    sample = batch.take(range(0, len(batch), step))
    row_bytes = len(encode_batch(sample)) / len(sample)
    size = max(1, int(limit / row_bytes))
    for begin in range(0, len(batch), size):
        yield from halves(batch.slice(begin, begin + size), limit)


def halves(batch: Batch, limit: int) -> Iterator[tuple[Batch, bytes]]:
    """Give a batch as it is, or in halves where its rows turn out to be larger than the sample was."""
    payload = encode_batch(batch)
    if len(payload) <= 2 * limit or len(batch) == 1:
        yield batch, payload
        return
    del payload
    middle = len(batch) // 2
    yield from halves(batch.slice(0, middle), limit)
    yield from halves(batch.slice(middle, len(batch)), limit)
