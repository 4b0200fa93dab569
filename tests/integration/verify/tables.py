"""The tables of the sample, as the server's own catalog tells of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from trueup.db.connection import Connection


@dataclass(frozen=True, slots=True)
class Changed:
    """Is a column's own value, changed by a template of SQL with `{0}` where the column goes."""

    template: LiteralString


Value = str | list[str | None] | Changed | None
Key = tuple[str, ...]
Row = tuple[str, Key]
"""Where a row is (its ctid), and its key as text."""


@dataclass(frozen=True, slots=True)
class Column:
    table: str
    name: str
    type: str
    is_nullable: bool
    is_generated: bool
    is_identifying: bool
    """Whether a primary or a unique key has it."""

    @property
    def path(self) -> str:
        return f"{self.table}.{self.name}"

    @property
    def plain_type(self) -> str:
        return re.sub(r"\(.*\)", "", self.type)

    @property
    def modifiers(self) -> tuple[int, ...]:
        """Return precision and scale of a numeric."""
        return tuple(map(int, re.findall(r"\d+", self.type))) if self.plain_type == "numeric" else ()

    def literal(self, value: Value) -> sql.Composed:
        name = sql.Identifier(self.name)
        new = sql.SQL(value.template).format(name) if isinstance(value, Changed) else sql.Literal(value)
        return sql.SQL("({})::{}").format(new, sql.SQL(self.type))


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def relation(self) -> sql.Identifier:
        return sql.Identifier(*self.name.split("."))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def written(self) -> tuple[Column, ...]:
        """Return the columns that can be written."""
        return tuple(column for column in self.columns if not column.is_generated)

    def literals(self, values: Mapping[str, Value]) -> dict[str, sql.Composable]:
        """Return what each written column gets: its value, or itself where there is none."""
        return {
            column.name: column.literal(values[column.name]) if column.name in values else sql.Identifier(column.name)
            for column in self.written
        }

    @property
    def place_and_key(self) -> sql.Composed:
        """Return what to select for a Row of the table that is called t."""
        key = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier("t", name)) for name in self.key)
        return sql.SQL("t.ctid::text, array[{}]::text[]").format(key)


def read_rows(connection: Connection, table: Table) -> list[Row]:
    """Return all rows, sorted by key, or by place where there is none."""
    order = sql.SQL(", ").join(sql.Identifier("t", name) for name in table.key or ("ctid",))
    query = sql.SQL("select {} from {} as t order by {}").format(table.place_and_key, table.relation, order)
    return [(ctid, tuple(key)) for ctid, key in connection.execute(query)]


COLUMNS = """
select n.nspname || '.' || c.relname, a.attname, format_type(a.atttypid, a.atttypmod), not a.attnotnull,
    a.attgenerated <> '', exists (
        select from pg_constraint k where k.conrelid = c.oid and k.contype in ('p', 'u') and a.attnum = any(k.conkey)
    )
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname in ('chinook', 'flights') and a.attnum > 0 and not a.attisdropped
order by 1, a.attnum
"""
KEYS = """
select n.nspname || '.' || c.relname, array_agg(a.attname order by array_position(k.conkey, a.attnum))
from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum = any(k.conkey)
where k.contype = 'p'
group by 1
"""


def read_tables(connection: Connection) -> dict[str, Table]:
    columns = [Column(*row) for row in connection.execute(COLUMNS)]
    keys = dict(connection.execute(KEYS).fetchall())
    return {
        name: Table(name, tuple(one for one in columns if one.table == name), tuple(keys.get(name, ())))
        for name in sorted({column.table for column in columns})
    }
