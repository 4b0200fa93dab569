"""What a database asks of new rows: which must point to others, and which columns may not repeat."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from trueup.db import Connection
from trueup.tables import Follows, Table
from trueup.tables.markers.foreign_keys import read_foreign_keys

UNIQUES = files("trueup.testing.data").joinpath("uniques.sql").read_bytes()


@dataclass(frozen=True, slots=True)
class Relation:
    """Is one way in which rows of a table point to rows of another."""

    parent: str
    """The other table, with its schema."""
    columns: Mapping[str, str]
    """Which column points to which column of the other table."""

    def name_in(self, table: Table[Any]) -> str:
        """Return how tests call the other row: `client` for `client_id`, else as the other table is called."""
        named = [column.removesuffix("_id") for column in self.columns if column != table.tenant]
        if len(self.columns) == 1:
            named = [column.removesuffix("_id") for column in self.columns]
        if len(named) == 1 and named[0] and named[0] not in self.columns:
            return named[0]
        return self.parent.partition(".")[2]


@dataclass(frozen=True, slots=True)
class Relations:
    """Is what the catalog of a database says about all its tables."""

    parents: Mapping[str, tuple[Relation, ...]]
    uniques: Mapping[str, frozenset[str]]
    """The columns of every unique index, by table."""

    def of(self, table: Table[Any]) -> tuple[Relation, ...]:
        """Return the relations in which a new row has to stand: it can't be without them, or its marker follows them.

        Those by one column come first: what several share is decided by them.
        """
        found = {}
        if isinstance(table.marker, Follows):
            found[frozenset(table.marker.keys)] = Relation(table.marker.parent, table.marker.keys)
        for relation in self.parents.get(table.name, ()):
            if table.required.issuperset(relation.columns):
                found.setdefault(frozenset(relation.columns), relation)
        return tuple(sorted(found.values(), key=lambda relation: len(relation.columns)))


def read_relations(connection: Connection) -> Relations:
    """Return what a database asks of new rows."""
    parents: dict[str, list[Relation]] = defaultdict(list)
    for key in read_foreign_keys(connection):
        columns = dict(zip(key.columns, key.parent_columns, strict=True))
        parents[key.child].append(Relation(key.parent, columns))
    uniques: dict[str, set[str]] = defaultdict(set)
    for name, columns in connection.execute(UNIQUES).fetchall():
        uniques[name].update(columns)
    return Relations(
        {name: tuple(found) for name, found in parents.items()},
        {name: frozenset(found) for name, found in uniques.items()},
    )
