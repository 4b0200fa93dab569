"""In which order rows come, and where the next page begins."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from psycopg import sql

from trueup.tables.conditions import Parameters, encode, placeholder
from trueup.tables.contract import UNSET, Column, Table
from trueup.tables.errors import StatementRefused
from trueup.tables.sql_types import Family

Nulls = Literal["first", "last"]


@dataclass(frozen=True, slots=True)
class Order:
    """Is one column to order by."""

    column: str
    descending: bool = False
    nulls: Nulls = "last"


Orders = tuple[Order, ...]


def asc(column: str, *, nulls: Nulls = "last") -> Order:
    """Order by a column, smallest first."""
    return Order(column, descending=False, nulls=nulls)


def desc(column: str, *, nulls: Nulls = "last") -> Order:
    """Order by a column, greatest first; the same as `"-column"` in `order_by`."""
    return Order(column, descending=True, nulls=nulls)


def parse_order(table: Table[Any], order_by: Sequence[str | Order] | str) -> Orders:
    """Return the whole order: what was asked for, then the primary key, so that no two rows tie.

    NULLs come last in both directions unless the order says otherwise. The tie-breaker runs in the direction of the
    last column before it.

    Raises:
        UnknownColumn: a column is not in the contract.
        StatementRefused: a column has no order, or is named twice.
    """
    items = [order_by] if isinstance(order_by, str) else order_by
    orders = [one_order(table, item) for item in items]
    named = {order.column for order in orders}
    if len(named) < len(orders):
        raise StatementRefused(f"{table.name}: order_by names a column twice")
    descending = bool(orders) and orders[-1].descending
    return (*orders, *(Order(name, descending) for name in table.primary_key if name not in named))


def one_order(table: Table[Any], item: str | Order) -> Order:
    """Return one element of `order_by` as a value."""
    if not isinstance(item, str | Order):
        raise StatementRefused(f"{table.name}: order_by takes names or asc(…)/desc(…), not {type(item).__name__}")
    order = item if isinstance(item, Order) else Order(item.removeprefix("-"), descending=item.startswith("-"))
    column = table.column(order.column)
    if column.type.family is Family.JSONB or not column.type.has_equality:
        raise StatementRefused(f"{table.name}.{column.name}: {column.declared} has no order worth asking for")
    return order


def render_order(table: Table[Any], orders: Orders) -> sql.Composable:
    """Return the ORDER BY clause, its NULLS rule only where a column can be NULL, so that indexes serve it."""
    return sql.SQL("\norder by {}").format(sql.SQL(", ").join(render_direction(table, order) for order in orders))


def render_direction(table: Table[Any], order: Order) -> sql.Composable:
    """Return one column of an ORDER BY clause."""
    column = table.column(order.column)
    parts: list[sql.Composable] = [column.identifier]
    if order.descending:
        parts.append(sql.SQL("desc"))
    if column.nullable:
        parts.append(sql.SQL("nulls first") if order.nulls == "first" else sql.SQL("nulls last"))
    return sql.SQL(" ").join(parts)


Keyset = tuple[bool, ...]
"""For each column of the order, whether the value the page begins after is NULL."""


def parse_after(table: Table[Any], orders: Orders, after: object) -> tuple[Keyset, Parameters]:
    """Return the shape and the parameters of "after this row" in an order.

    `after` is a row, or a mapping that has the columns of the order and of the primary key.

    Raises:
        StatementRefused: it lacks one of them.
    """
    keyset, parameters = [], []
    for order in orders:
        column = table.column(order.column)
        value = after.get(column.name, UNSET) if isinstance(after, Mapping) else getattr(after, column.name, UNSET)
        if value is UNSET:
            raise StatementRefused(f"{table.name}: after lacks {column.name!r}, which the rows are ordered by")
        keyset.append(value is None)
        if value is not None:
            parameters.append(encode(table, column, value))
    return tuple(keyset), parameters


def render_after(table: Table[Any], orders: Orders, keyset: Keyset, numbers: Iterator[int]) -> sql.Composable:
    """Return the condition "after this row": true for exactly the rows that follow it in the order."""
    columns = [table.column(order.column) for order in orders]
    values = [
        None if is_null else placeholder(next(numbers), c.type) for c, is_null in zip(columns, keyset, strict=True)
    ]
    if len({order.descending for order in orders}) == 1 and not any(column.nullable for column in columns):
        sign = sql.SQL("({}) < ({})") if orders[0].descending else sql.SQL("({}) > ({})")
        return sign.format(
            sql.SQL(", ").join(column.identifier for column in columns), sql.SQL(", ").join(v for v in values if v)
        )
    alternatives = []
    for index, order in enumerate(orders):
        follows = render_follows(columns[index], order, values[index])
        if follows is not None:
            same = [render_same(c, v) for c, v in zip(columns[:index], values[:index], strict=True)]
            alternatives.append(sql.SQL("({})").format(sql.SQL(" and ").join([*same, follows])))
    return sql.SQL("({})").format(sql.SQL(" or ").join(alternatives))


def render_same(column: Column, value: sql.Composable | None) -> sql.Composable:
    """Return the condition that a column is the same as the value, NULL included."""
    if value is None:
        return sql.SQL("{} is null").format(column.identifier)
    return sql.SQL("{} = {}").format(column.identifier, value)


def render_follows(column: Column, order: Order, value: sql.Composable | None) -> sql.Composable | None:
    """Return the condition that a column comes after the value; None if nothing does."""
    if value is None:
        return sql.SQL("{} is not null").format(column.identifier) if order.nulls == "first" else None
    sign = sql.SQL("{} < {}") if order.descending else sql.SQL("{} > {}")
    follows = sign.format(column.identifier, value)
    if column.nullable and order.nulls == "last":
        return sql.SQL("({} or {} is null)").format(follows, column.identifier)
    return follows
