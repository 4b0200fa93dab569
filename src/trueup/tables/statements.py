"""The SQL of every call, built from the contract alone, once for each shape.

Nothing here talks to a server. Columns are always listed, identifiers always quoted, parameters always typed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count as counter
from typing import Any, Literal

from psycopg import sql

from trueup.tables.conditions import Shape, by_columns, placeholder, render
from trueup.tables.contract import Table
from trueup.tables.orders import Keyset, Orders, render_after, render_order

SHAPES = 1024
"""How many shapes of each kind are kept."""

Names = tuple[str, ...]
Flag = Literal["old", "xmax"]
"""How the server tells an insert from an update: PostgreSQL 18 shows the old row; before, only xmax does, and that not
on partitioned tables."""


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """Is one SQL text, ready to be sent; the same shape gives the same object."""

    text: bytes
    is_lasting: bool = True
    """Whether it is worth preparing."""
    is_binary: bool = False
    """Whether its parameters are in their types' binary form."""


def compose(*parts: sql.Composable, is_binary: bool = False) -> Statement:
    """Return the statement that the parts make up."""
    return Statement(sql.Composed(parts).as_bytes(None), is_binary=is_binary)


def names_of(table: Table[Any], names: Iterable[str] | None = None, *, of: str | None = None) -> sql.Composable:
    """Return columns as a list in SQL, each with the alias `of` in front if there is one."""
    chosen = [table.column(name) for name in names] if names is not None else table.columns
    if of is None:
        return sql.SQL(", ").join(column.identifier for column in chosen)
    return sql.SQL(", ").join(sql.Identifier(of, column.name) for column in chosen)


@lru_cache(SHAPES)
def select(
    table: Table[Any],
    shape: Shape,
    orders: Orders = (),
    *,
    one: bool = False,
    limit: bool = False,
    offset: bool = False,
    keyset: Keyset | None = None,
) -> Statement:
    """Return a SELECT; its parameters are those of the conditions, of the keyset, of the limit, of the offset."""
    numbers = counter(1)
    conditions = render(table, shape, numbers)
    parts: list[sql.Composable] = [
        sql.SQL("select {}\nfrom {}\nwhere {}").format(names_of(table), table.identifier, conditions)
    ]
    if keyset is not None:
        parts.append(sql.SQL("\n  and {}").format(render_after(table, orders, keyset, numbers)))
    if orders:
        parts.append(render_order(table, orders))
    if one:
        parts.append(sql.SQL("\nlimit 1").format())
    if limit:
        parts.append(sql.SQL(f"\nlimit ${next(numbers)}::bigint").format())
    if offset:
        parts.append(sql.SQL(f"\noffset ${next(numbers)}::bigint").format())
    return compose(*parts)


@lru_cache(SHAPES)
def count(table: Table[Any], shape: Shape) -> Statement:
    """Return a SELECT of the number of rows."""
    return compose(
        sql.SQL("select count(*)\nfrom {}\nwhere {}").format(table.identifier, render(table, shape, counter(1)))
    )


@lru_cache(SHAPES)
def exists(table: Table[Any], shape: Shape) -> Statement:
    """Return a SELECT of whether there is such a row."""
    conditions = render(table, shape, counter(1))
    return compose(sql.SQL("select exists (select 1\nfrom {}\nwhere {})").format(table.identifier, conditions))


@lru_cache(SHAPES)
def delete(table: Table[Any], shape: Shape) -> Statement:
    """Return a DELETE; the server's answer counts the rows."""
    return compose(sql.SQL("delete from {}\nwhere {}").format(table.identifier, render(table, shape, counter(1))))


@lru_cache(SHAPES)
def update(table: Table[Any], changed: Names, shape: Shape) -> Statement:
    """Return an UPDATE of the columns `changed`; their parameters come first, then those of the conditions."""
    numbers = counter(1)
    settings = [
        sql.SQL("{} = {}").format(table.column(name).identifier, placeholder(next(numbers), table.column(name).type))
        for name in changed
    ]
    conditions = render(table, shape, numbers)
    return compose(
        sql.SQL("update {}\nset {}\nwhere {}\nreturning {}").format(
            table.identifier, sql.SQL(", ").join([*settings, *touch(table)]), conditions, names_of(table)
        )
    )


@lru_cache(SHAPES)
def insert(table: Table[Any], names: Names) -> Statement:
    """Return an INSERT of one row."""
    return compose(insertion(table, names), sql.SQL("\nreturning {}").format(names_of(table)))


@lru_cache(SHAPES)
def insert_or_nothing(table: Table[Any], names: Names) -> Statement:
    """Return an INSERT of one row that does nothing, and returns nothing, where the key is taken."""
    arbiter = sql.SQL("\non conflict ({}) do nothing").format(names_of(table, table.key))
    return compose(insertion(table, names), arbiter, sql.SQL("\nreturning {}").format(names_of(table)))


@lru_cache(SHAPES)
def upsert(table: Table[Any], names: Names, flag: Flag) -> Statement:
    """Return an INSERT that updates the row whose key is taken, if that changes it, and returns nothing if not.

    The last column of its answer says whether the row was inserted.
    """
    return compose(
        insertion(table, names, alias=True),
        on_conflict(table, names),
        sql.SQL("\nreturning {}, {}").format(names_of(table, of="stored"), inserted(table, flag)),
    )


def insertion(table: Table[Any], names: Names, *, alias: bool = False) -> sql.Composable:
    """Return `insert into … values …` for one row; `default values` when nothing is given."""
    into = sql.SQL("insert into {} as stored" if alias else "insert into {}").format(table.identifier)
    if not names:
        return sql.SQL("{} default values").format(into)
    values = sql.SQL(", ").join(placeholder(i, table.column(name).type) for i, name in enumerate(names, 1))
    return sql.SQL("{} ({})\nvalues ({})").format(into, names_of(table, names), values)


def on_conflict(table: Table[Any], names: Names) -> sql.Composable:
    """Return the clause that updates what an insert meets; a row that would stay as it is is not written."""
    changed = changed_by(table, names)
    return sql.SQL("\non conflict ({}) do update\nset {}\nwhere {}").format(
        names_of(table, table.key), assignments(table, changed), differs(table, changed, "stored", "excluded")
    )


def assignments(table: Table[Any], changed: Names) -> sql.Composable:
    """Return the SET list that takes columns from `excluded` and notes the time."""
    taken = [sql.SQL("{0} = excluded.{0}").format(table.column(name).identifier) for name in changed]
    return sql.SQL(", ").join([*taken, *touch(table)])


def same_key(table: Table[Any], left: str, right: str) -> sql.Composable:
    """Return the condition that two rows have the same conflict key."""
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(sql.Identifier(left, name), sql.Identifier(right, name)) for name in table.key
    )


def changed_by(table: Table[Any], names: Iterable[str]) -> Names:
    """Return those of the columns that an upsert changes in a row that exists."""
    return tuple(name for name in names if name in table.updatable)


def touch(table: Table[Any]) -> Iterator[sql.Composable]:
    """Give the assignment that notes when a row was changed, if the contract has one."""
    if table.touch:
        yield sql.SQL("{} = now()").format(sql.Identifier(table.touch))


def differs(table: Table[Any], names: Names, left: str, right: str) -> sql.Composable:
    """Return the condition that two rows differ in one of the columns; `json` has no equality and is held as text."""

    def side(alias: str) -> sql.Composable:
        return sql.SQL(", ").join(
            sql.SQL("{}" if table.column(name).type.has_equality else "{}::text").format(sql.Identifier(alias, name))
            for name in names
        )

    return sql.SQL("({}) is distinct from ({})").format(side(left), side(right))


def inserted(table: Table[Any], flag: Flag) -> sql.Composable:
    """Return the expression that is true for an inserted row and false for an updated one."""
    if flag == "old":
        return sql.SQL("old.{} is null").format(sql.Identifier(table.primary_key[0]))
    return sql.SQL("stored.xmax = 0").format()


@lru_cache(SHAPES)
def update_or_read(table: Table[Any], names: Names) -> Statement:
    """Return what updates the row with a key if that changes it, and returns the row in either case, if it exists.

    Its parameters are those of `upsert`; the last column of its answer says whether the row was changed.
    """
    changed = changed_by(table, names)
    given = sql.SQL(", ").join(
        sql.SQL("{} as {}").format(placeholder(i, table.column(name).type), sql.Identifier(name))
        for i, name in enumerate(names, 1)
    )
    return compose(
        sql.SQL(
            "with excluded as (select {given}), changed as (\n"
            "update {table} as stored\nset {settings}\nfrom excluded\nwhere {same}\n  and {differs}\n"
            "returning {stored})\n"
            "select {names}, true from changed\nunion all\n"
            "select {stored}, false from {table} as stored, excluded\nwhere {same}\n"
            "  and not exists (select 1 from changed)"
        ).format(
            given=given,
            table=table.identifier,
            settings=assignments(table, changed),
            same=same_key(table, "stored", "excluded"),
            differs=differs(table, changed, "stored", "excluded"),
            stored=names_of(table, of="stored"),
            names=names_of(table),
        )
    )


@lru_cache(SHAPES)
def by_key(table: Table[Any]) -> Statement:
    """Return a SELECT of the row with a conflict key."""
    return select(table, by_columns(table.key), one=True)


def cursor(query: Statement, name: str, rows: int) -> tuple[Statement, Statement, Statement]:
    """Return what declares a cursor, what fetches so many rows from it, and what closes it."""
    identifier = sql.Identifier(name).as_bytes(None)
    return (
        Statement(b"declare " + identifier + b" no scroll cursor for\n" + query.text, is_lasting=False),
        Statement(b"fetch forward %d from " % rows + identifier, is_lasting=False),
        Statement(b"close " + identifier, is_lasting=False),
    )
