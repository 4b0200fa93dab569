"""The SQL that finds test data: which rows a marker matches, and which of them tests have made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from psycopg import sql

from trueup.tables.conditions import escape
from trueup.tables.contract import Table
from trueup.tables.errors import ContractError
from trueup.tables.marker_rules import Begins, Ends, Equals, Follows
from trueup.tables.markers.graph import in_order

RUN = sql.Identifier("$run")
"""What a journal's run is called beside the columns of a key."""


@dataclass(frozen=True, eq=False)
class Marking:
    """Is a set of tables whose contracts have markers, checked against each other.

    Raises:
        ContractError: none has a marker, or one follows a table that isn't in the set, or they follow in a circle.
    """

    tables: tuple[Table[Any], ...]
    has_journal: bool
    run: str | None = None
    """Whose rows `is_chosen` means; None: those of every run."""

    def __post_init__(self) -> None:
        if not self.tables:
            raise ContractError('no contract has a marker: give one, as in Table(…, marker=Begins("phone", "+7000"))')
        for table in self.tables:
            check_parent(table, self.by_name)
        for group in in_order(tuple(self.by_name), self.edges):
            if len(group) > 1:
                raise ContractError(f"the markers of {', '.join(sorted(group))} follow each other in a circle")

    @cached_property
    def by_name(self) -> Mapping[str, Table[Any]]:
        """The tables by their names."""
        return {table.name: table for table in self.tables}

    @cached_property
    def edges(self) -> list[tuple[str, str]]:
        """Each table whose marker follows another, with that."""
        return [(table.name, table.marker.parent) for table in self.tables if isinstance(table.marker, Follows)]

    @cached_property
    def parameters(self) -> dict[str, object]:
        """The values of all markers, and the names of all tables, as parameters of any statement."""
        given: dict[str, object] = {"run": self.run}
        for number, table in enumerate(self.tables):
            given[f"relation_{number}"] = table.name
            match table.marker:
                case Equals(column, value):
                    given[f"marker_{number}"] = table.column(column).type.encode(value)
                case Begins(_, text):
                    given[f"marker_{number}"] = escape(text)[1:]
                case Ends(_, text):
                    given[f"marker_{number}"] = escape(text)[:-1]
        return given

    def number(self, table: Table[Any]) -> int:
        """Return where a table stands among all."""
        return self.tables.index(table)

    def chain(self, table: Table[Any]) -> list[Table[Any]]:
        """Return a table and those that its marker follows, one after another."""
        found = [table]
        while isinstance(found[-1].marker, Follows):
            found.append(self.by_name[found[-1].marker.parent])
        return found

    def journals(self, table: Table[Any]) -> sql.Composable:
        """Return common table expressions with the keys that tests have written down for a table and its chain."""
        return sql.SQL(",\n").join(map(self.journal, self.chain(table)))

    def journal(self, table: Table[Any]) -> sql.Composable:
        """Return the common table expression of one; materialized, so that no other table's key is ever converted."""
        number = self.number(table)
        columns = [table.column(name) for name in table.primary_key]
        if self.has_journal:
            values = [sql.SQL(f"key[{i}]::{column.type.name}") for i, column in enumerate(columns, 1)]
            entries = sql.SQL("run as {}, {} from trueup.made where relation = {}")
        else:
            values = [sql.SQL(f"null::{column.type.name}") for column in columns]
            entries = sql.SQL("null::text as {}, {} from (select {}) as nothing where false")
        selected = sql.SQL(", ").join(
            sql.SQL("{} as {}").format(value, column.identifier) for value, column in zip(values, columns, strict=True)
        )
        relation = sql.Placeholder(f"relation_{number}")
        body = entries.format(RUN, selected, relation)
        return sql.SQL("{} as materialized (select {})").format(journal_name(number), body)

    def is_marked(self, table: Table[Any], alias: str) -> sql.Composable:
        """Return the condition that a row carries its mark."""
        marker = table.marker
        assert marker is not None
        if isinstance(marker, Follows):
            return self.of_parent(marker, alias, self.is_marked(self.by_name[marker.parent], f"{alias}_"))
        operator = "=" if isinstance(marker, Equals) else "like"
        value = sql.Placeholder(f"marker_{self.number(table)}")
        kind = table.column(marker.column).type.name
        return sql.SQL(f"({{}} {operator} {{}}::{kind})").format(sql.Identifier(alias, marker.column), value)

    def is_made(self, table: Table[Any], alias: str) -> sql.Composable:
        """Return the condition that tests made a row: it is in the journal, or it follows a row that they made.

        Nobody but a test knows of a row that a test made, so what points to it came from the code under test.
        """
        return self.is_listed(table, alias, sql.SQL("true"))

    def is_chosen(self, table: Table[Any], alias: str) -> sql.Composable:
        """Return the condition that the run made a row."""
        if self.run is None:
            return sql.SQL("true")
        return self.is_listed(table, alias, sql.SQL("entry.{} = {}").format(RUN, sql.Placeholder("run")))

    def is_listed(self, table: Table[Any], alias: str, wanted: sql.Composable) -> sql.Composable:
        """Return the condition that the journal has such an entry of a row, or of one that it follows."""
        listed = sql.SQL("exists (select 1 from {} as entry where {} and {})").format(
            journal_name(self.number(table)), same(table.primary_key, "entry", alias), wanted
        )
        if not isinstance(table.marker, Follows):
            return listed
        parent = self.by_name[table.marker.parent]
        of_parent = self.of_parent(table.marker, alias, self.is_listed(parent, f"{alias}_", wanted))
        return sql.SQL("({} or {})").format(listed, of_parent)

    def of_parent(self, marker: Follows, alias: str, condition: sql.Composable) -> sql.Composable:
        """Return the condition that the row that a row points to fulfils another one."""
        parent = self.by_name[marker.parent]
        pairs = sql.SQL(" and ").join(
            sql.SQL("{} = {}").format(sql.Identifier(f"{alias}_", other), sql.Identifier(alias, column))
            for column, other in marker.keys.items()
        )
        return sql.SQL("exists (select 1 from {} as {} where {} and {})").format(
            parent.identifier, sql.Identifier(f"{alias}_"), pairs, condition
        )

    def candidates(self, table: Table[Any]) -> sql.Composable:
        """Return the WITH clause of a statement on `found`: the keys of rows that are marked or in the journal.

        Both parts can use their own index; a condition with OR could use none.
        """
        return sql.SQL(
            "with {journals},\n"
            "found as materialized (\n"
            "    select {keys} from {table} as t where {marked}\n"
            "    union\n"
            "    select {keys} from {table} as t join {journal} as entry on {same}\n"
            ")\n"
        ).format(
            journals=self.journals(table),
            keys=sql.SQL(", ").join(sql.Identifier("t", name) for name in table.primary_key),
            table=table.identifier,
            marked=self.is_marked(table, "t"),
            journal=journal_name(self.number(table)),
            same=same(table.primary_key, "entry", "t"),
        )

    def parts(self, table: Table[Any]) -> dict[str, sql.Composable]:
        """Return what a statement on the candidates of a table is made of."""
        return {
            "candidates": self.candidates(table),
            "table": table.identifier,
            "keys": sql.SQL(", ").join(sql.Identifier("t", name) for name in table.primary_key),
            "same": same(table.primary_key, "found", "t"),
            "marked": self.is_marked(table, "t"),
            "made": self.is_made(table, "t"),
            "chosen": self.is_chosen(table, "t"),
        }


def marking_of(tables: Iterable[Table[Any]], *, has_journal: bool, run: str | None = None) -> Marking:
    """Return the marking of those tables whose contracts have a marker; each is named once.

    Raises:
        ContractError: see `Marking`.
    """
    marked = {table.name: table for table in tables if table.marker is not None}
    return Marking(tuple(marked.values()), has_journal, run)


def check_parent(table: Table[Any], others: Mapping[str, Table[Any]]) -> None:
    """Raise ContractError if a marker follows what it can't."""
    if not isinstance(table.marker, Follows):
        return
    parent = others.get(table.marker.parent)
    if parent is None:
        raise ContractError(
            f"{table.name}: its marker follows {table.marker.parent}, of which no contract with a marker is known"
        )
    for name, other in table.marker.keys.items():
        if other not in parent.by_name:
            raise ContractError(f"{table.name}: its marker points to {parent.name}.{other}, which its contract lacks")
        if table.column(name).type.python is not parent.column(other).type.python:
            raise ContractError(f"{table.name}.{name} and {parent.name}.{other} are of different types")


def journal_name(number: int) -> sql.Identifier:
    """Return the name under which a statement knows the journal of a table."""
    return sql.Identifier(f"journal_{number}")


def same(names: Sequence[str], left: str, right: str) -> sql.Composable:
    """Return the condition that rows under two aliases have the same key."""
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(sql.Identifier(left, name), sql.Identifier(right, name)) for name in names
    )
