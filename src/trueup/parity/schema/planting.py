"""Puts made-up rows into every table of a scratch database, so that what changes its structure meets rows.

Which values a table takes is found by trying: the server says which constraint objects, and its columns get others.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import prod

import psycopg
from psycopg import sql

from trueup.db.connection import Connection
from trueup.parity.schema.model import Catalog, Column, Constraint, Index, Table
from trueup.parity.schema.names import QualifiedName
from trueup.parity.schema.samples import samples

TRIES = 200
"""How often a row is tried with other values."""
MOST_PARENTS = 50
DEFAULT, NULL = sql.SQL("default"), sql.SQL("null")
NAME = r'(?:"(?:[^"]|"")+"|[^\s"().,]+)'
REFERENCE = re.compile(rf"REFERENCES (?P<schema>{NAME})\.(?P<table>{NAME})\((?P<columns>{NAME}(?:, {NAME})*)\)")


def plant(connection: Connection, catalog: Catalog, *, number: int) -> Mapping[QualifiedName, str]:
    """Put one row into every table; returns why not, by table, where none could be found.

    Another number gives other rows. Partitions get theirs through the table they are part of; foreign tables get none.
    """
    reasons = {}
    for table in in_order(catalog):
        with connection.transaction():
            reason = Seed(connection=connection, catalog=catalog, table=table, number=number).sow()
        if reason:
            reasons[table.name] = reason
    return reasons


def in_order(catalog: Catalog) -> Iterator[Table]:
    """Yield the tables that take rows, each behind those that it refers to, as far as that is possible."""
    left = {
        name: table
        for name, table in catalog.tables.items()
        if table.kind != "foreign table" and table.partition_bound is None
    }
    while left:
        free = [table for table in left.values() if not (parents_of(table) - {table.name}) & left.keys()]
        for table in free or [next(iter(left.values()))]:
            yield left.pop(table.name)


def parents_of(table: Table) -> set[QualifiedName]:
    """Return the tables that a table's foreign keys refer to."""
    return {found[0] for each in table.constraints if (found := reference(each))}


def reference(constraint: Constraint) -> tuple[QualifiedName, tuple[str, ...]] | None:
    """Return to which columns of which table a foreign key refers; None for any other constraint."""
    found = REFERENCE.search(constraint.definition) if constraint.kind == "foreign key" else None
    if found is None:
        return None
    columns = tuple(map(unquoted, re.findall(NAME, found["columns"])))
    return QualifiedName(unquoted(found["schema"]), unquoted(found["table"])), columns


def unquoted(name: str) -> str:
    """Return a name as the server keeps it."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


@dataclass(slots=True, kw_only=True)
class Seed:
    """Tries values for one row of one table."""

    connection: Connection
    catalog: Catalog
    table: Table
    number: int
    turns: Counter[str] = field(default_factory=Counter)
    """How often a constraint has objected, by its name."""
    choices: dict[str, list[sql.Composable]] = field(default_factory=dict)
    """What each column may get, the best first."""
    chosen: dict[str, int] = field(default_factory=dict)
    """Which of them each column gets next."""

    def sow(self) -> str:
        """Put one row into the table; returns why not, or nothing."""
        self.choices = self.all_choices()
        reason = "no value is known for one of its columns"
        if not all(self.choices.values()):
            return reason
        for _ in range(TRIES):
            try:
                with self.connection.transaction():
                    self.connection.execute(self.statement())
            except psycopg.Error as error:
                reason = f"{error.diag.message_primary} (SQLSTATE {error.sqlstate})"
                if not self.turn(error.diag):
                    break
            else:
                return ""
        return reason

    def all_choices(self) -> dict[str, list[sql.Composable]]:
        """Return what each column that can be written may get."""
        columns = [each for each in self.table.columns.values() if not each.generated and each.identity != "always"]
        made = [
            (each.name, text, each.type)
            for each in columns
            for text in samples(self.catalog, self.table, each, self.number)
        ]
        fit = self.connection.execute(
            "select name, value, type from unnest(%s::text[], %s::text[], %s::text[]) as made (name, value, type)"
            " where pg_input_is_valid(value, type)",
            [list(part) for part in zip(*made, strict=True)] or [[], [], []],
        ).fetchall()
        found: dict[str, list[sql.Composable]] = {each.name: [] for each in columns}
        for name, value, type_ in fit:
            found[name].append(sql.SQL("cast({} as {})").format(sql.Literal(value), sql.SQL(type_)))
        for column in columns:
            found[column.name] = with_absence(column, found[column.name])
        return found

    def statement(self) -> sql.Composed:
        """Return the insert with the values whose turn it is."""
        values = {name: options[self.chosen.get(name, 0) % len(options)] for name, options in self.choices.items()}
        for constraint in sorted(self.table.constraints, key=lambda each: -len(each.columns)):
            if found := reference(constraint):
                values |= self.parent_values(constraint, *found, values=values)
        if not values:
            return sql.SQL("insert into {} default values").format(sql.Identifier(*self.table.name))
        return sql.SQL("insert into {} ({}) overriding user value values ({})").format(
            sql.Identifier(*self.table.name),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(values.values()),
        )

    def parent_values(
        self,
        constraint: Constraint,
        parent: QualifiedName,
        columns: tuple[str, ...],
        *,
        values: Mapping[str, sql.Composable],
    ) -> dict[str, sql.Composable]:
        """Return the key of some row that a foreign key may refer to; NULL where there is none and it may be."""
        own = [name for name in constraint.columns if name in values]
        rows = self.connection.execute(
            sql.SQL("select {} from {} limit {}").format(
                sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in columns),
                sql.Identifier(*parent),
                sql.Literal(MOST_PARENTS),
            )
        ).fetchall()
        if not rows:
            return {name: NULL for name in own if self.table.columns[name].nullable}
        row = rows[(self.number + self.turns[constraint.name]) % len(rows)]
        types = [self.table.columns[name].type for name in constraint.columns]
        return {
            name: sql.SQL("cast({} as {})").format(sql.Literal(value), sql.SQL(type_))
            for name, value, type_ in zip(constraint.columns, row, types, strict=True)
        }

    def turn(self, said: psycopg.errors.Diagnostic) -> bool:
        """Choose other values for the columns that the server objects to; says whether there are any."""
        name = said.constraint_name or said.column_name or ""
        columns = [each for each in self.objected(said) if each in self.choices]
        self.turns[name] += 1
        if not columns:
            return False
        turn = self.turns[name]
        sizes = [len(self.choices[each]) for each in columns]
        for position, each in enumerate(columns):
            self.chosen[each] = turn // prod(sizes[:position]) % sizes[position]
        return turn < max(prod(sizes), MOST_PARENTS)

    def objected(self, said: psycopg.errors.Diagnostic) -> Iterable[str]:
        """Return the columns of what the server names: a constraint, an index, a column, else the partition key."""
        things: list[Constraint | Index] = [*self.table.constraints, *self.table.indexes]
        for each in things:
            if each.name == said.constraint_name:
                return each.columns
        if said.column_name:
            return [said.column_name]
        if said.sqlstate == "23514" and self.table.partition_key:
            return [name for name in self.table.columns if name in self.table.partition_key]
        if said.sqlstate == "23505":
            return self.table.primary_key
        return []


def with_absence(column: Column, values: list[sql.Composable]) -> list[sql.Composable]:
    """Return the values of a column with what stands for none; the numbers of a sequence are its best ones."""
    if column.identity or (column.default or "").startswith("nextval("):
        return [DEFAULT]
    absent = [DEFAULT] if column.default is not None else []
    return values + absent + ([NULL] if column.nullable else [])
