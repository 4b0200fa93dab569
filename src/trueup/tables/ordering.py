"""Rows in the order of their conflict keys, each key once: so two writers never wait for each other in a circle.

Looks at the columns of the key alone, by column rather than by row. Does no I/O.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import lt
from types import NoneType
from typing import Any, Literal

from msgspec import UnsetType

from trueup.tables.contract import UNSET, Column, Table
from trueup.tables.encoding import BadValue
from trueup.tables.errors import DuplicateKeys, StatementRefused
from trueup.tables.rows import check_writable, classes_of, column_reader_of
from trueup.tables.tenants import Row, row_with_tenant

OnDuplicate = Literal["error", "first", "last"]
Key = Sequence[Sequence[Any]]
Reason = tuple[str, str, str]
"""The column, the SQLSTATE, and why in words."""
Bad = dict[int, Reason]
"""Why rows are bad, by their indexes."""


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
    """In words, where it was found before it was sent."""


Reject = Callable[[list[Rejected]], None]
"""What to do with rows that are known to be bad before they are sent."""


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """Is rows in an order of their own."""

    rows: Sequence[Any]
    positions: Sequence[int]
    """Where each row stood in the call."""
    key: Key
    """The columns of the conflict key, in the order of the call."""
    are_rows: bool
    """Whether each is of the row class of the table."""
    plain: Mapping[str, Sequence[Any]]
    """Those columns of the key, by name, whose values need not be looked at again."""

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, part: slice) -> "Ordered":
        return replace(self, rows=self.rows[part], positions=self.positions[part])


def in_order(
    table: Table[Any], rows: Sequence[Any], tenant: Row, on_duplicate: OnDuplicate, reject: Reject
) -> tuple[Ordered, int]:
    """Return the rows in the order of their keys, one for each, and how many were left out for that.

    Rows whose key is not complete go to `reject`.

    Raises:
        StatementRefused, UnknownColumn, TenantMissing: a row is none, or not one of the table's or the tenant's.
        DuplicateKeys: rows share a key, and that was to be an error.
    """
    are_rows = {table.row} == classes_of(rows)
    if not are_rows:
        check_rows(table, rows)
    key, plain, bad = [], {}, Bad()
    for name in table.key:
        values, classes = key_column(table, name, rows, tenant, are_rows=are_rows)
        key.append(values)
        if NoneType not in classes and table.column(name).type.is_plain(values, classes):
            plain[name] = values
        else:
            check_key(table.column(name), values, bad)
    if bad:
        reject([rejected(key, i, reason) for i, reason in sorted(bad.items())])
    items = [i for i in range(len(rows)) if i not in bad] if bad else range(len(rows))
    order = sort(table, key, items, on_duplicate)
    return Ordered([rows[i] for i in order], order, key, are_rows, plain), len(items) - len(order)


def check_rows(table: Table[Any], rows: Sequence[Any]) -> None:
    """Raise unless each is a row of the table, or a mapping of columns that may be written."""
    names: set[Any] = set()
    for row in rows:
        if isinstance(row, Mapping):
            names.update(name for name, value in row.items() if value is not UNSET)
        elif not isinstance(row, table.row):
            raise StatementRefused(
                f"{table.name}: a row is a {table.row.__name__} or a mapping of columns, not {type(row).__name__}"
            )
    for name in names:
        check_writable(table, name)


def key_column(
    table: Table[Any], name: str, rows: Sequence[Any], tenant: Row, *, are_rows: bool
) -> tuple[Sequence[Any], set[type]]:
    """Return the values of one column of the key, the tenant's where the repository has one and the row says nothing.

    Beside them stand their classes.
    `are_rows` says that all are of the row class, so that a column can be read at once.

    Raises:
        TenantMissing: a row has none, or another one.
        StatementRefused: a row lacks another column of the key.
    """
    if are_rows:
        values = column_reader_of(name)(rows)
    else:
        values = [row.get(name, UNSET) if isinstance(row, Mapping) else getattr(row, name) for row in rows]
    classes = classes_of(values)
    if name == table.tenant:
        for value in set(values):
            row_with_tenant(table, name, tenant, (name,), [value])
        if UnsetType in classes:
            values = [tenant[name] if value is UNSET else value for value in values]
            classes = classes_of(values)
    elif UnsetType in classes:
        raise StatementRefused(f"{table.name}.{name}: it is part of the conflict key and not set")
    return values, classes


def check_key(column: Column, values: Sequence[Any], bad: Bad) -> None:
    """Note the rows that lack a part of the key, or whose value its type can't hold."""
    for i, value in enumerate(values):
        if value is None:
            bad.setdefault(i, (column.name, "23502", "is NULL, which equals no other NULL, in the conflict key"))
            continue
        try:
            column.type.encode(value)
        except BadValue as error:
            bad.setdefault(i, (column.name, error.sqlstate, error.reason))


def rejected(key: Key, position: int, reason: Reason) -> Rejected:
    """Return a bad row."""
    column, sqlstate, words = reason
    return Rejected(position, key_at(key, position), sqlstate, column=column, reason=words)


def key_at(key: Key, position: int) -> tuple[Any, ...]:
    """Return the key of one row of the call."""
    return tuple(column[position] for column in key)


def sort(table: Table[Any], key: Key, items: Sequence[int], on_duplicate: OnDuplicate) -> Sequence[int]:
    """Return which rows to write, in the order of their keys, one for each."""
    deciding = [column for column in key if column.count(column[0]) < len(column)] if items else []
    keys: Sequence[Any] = deciding[0] if len(deciding) == 1 else list(zip(*key, strict=True))
    order = items if is_ascending(keys, items) else sorted(items, key=keys.__getitem__)
    if is_ascending(keys, order):
        return order
    kept = chosen(table, keys, items, on_duplicate)
    return [i for i in order if i in kept]


def is_ascending(keys: Sequence[Any], items: Sequence[int]) -> bool:
    """Say whether each key is larger than the one before."""
    given = [keys[i] for i in items]
    return all(map(lt, given, given[1:]))


def chosen(table: Table[Any], keys: Sequence[Any], items: Sequence[int], on_duplicate: OnDuplicate) -> set[int]:
    """Return one row for each key.

    Raises:
        DuplicateKeys: rows share a key, and that was to be an error.
    """
    by_key: dict[Any, int] = {}
    for i in items:
        if on_duplicate != "first" or keys[i] not in by_key:
            by_key[keys[i]] = i
    kept = set(by_key.values())
    if on_duplicate == "error" and len(kept) < len(items):
        positions = [i for i in items if i not in kept]
        shown = ", ".join(map(str, positions[:10])) + (" and more" if len(positions) > 10 else "")
        raise DuplicateKeys(
            f"{table.name}: {len(positions)} rows have the key of a later one (positions {shown}); choose"
            ' on_duplicate="first" or "last"'
        )
    return kept
