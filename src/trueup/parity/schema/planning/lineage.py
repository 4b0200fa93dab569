"""Tables that leave their parents, and tables that join some: before all else, and after all else. Does no I/O."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from trueup.parity.schema.model import Annotations, Catalog, Constraint, ObjectKey, Table
from trueup.parity.schema.names import ColumnName, QualifiedName
from trueup.parity.schema.planning.sides import Structure
from trueup.parity.schema.planning.units import column_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Is one table with the parents that it leaves and those that it joins; the first ones stay as they are."""

    table: QualifiedName
    kept: tuple[QualifiedName, ...]
    left: tuple[QualifiedName, ...]
    joined: tuple[QualifiedName, ...]

    @property
    def key(self) -> ObjectKey:
        """Return what its statements are about."""
        return ObjectKey("inheritance", str(self.table))

    @property
    def leaving(self) -> tuple[str, ...]:
        """Return what makes the table leave."""
        return tuple(f"alter table {self.table} no inherit {parent}" for parent in self.left)

    @property
    def joining(self) -> tuple[str, ...]:
        """Return what makes the table join: by then it has all that its parents give."""
        return tuple(f"alter table {self.table} inherit {parent}" for parent in self.joined)


def moves(have: Catalog, want: Catalog) -> tuple[Move, ...]:
    """Return the tables that are on both sides, of other parents; partitions come and go in another way."""
    shared = [(have.tables[name], want.tables[name]) for name in have.tables.keys() & want.tables.keys()]
    plain = [pair for pair in shared if pair[0].kind == pair[1].kind and not any(each.partition_bound for each in pair)]
    found = (_move(mine, theirs) for mine, theirs in plain if mine.parents != theirs.parents)
    return tuple(sorted(found, key=lambda move: move.table))


def _move(mine: Table, theirs: Table) -> Move:
    same = 0
    while mine.parents[same : same + 1] == theirs.parents[same : same + 1] and same < len(mine.parents):
        same += 1
    return Move(
        table=mine.name, kept=mine.parents[:same], left=mine.parents[same:], joined=theirs.parents[same:]
    )  # fmt: skip


def once_left(have: Structure, found: Iterable[Move]) -> Structure:
    """Return a structure as it is once tables have left: what their parents gave them is their own."""
    return _apart(have, {each.table: (each, each.left) for each in found})


def before_joining(want: Structure, found: Iterable[Move]) -> Structure:
    """Return a structure as it has to be for tables to join: they have on their own what their parents give."""
    return _apart(want, {each.table: (each, each.joined) for each in found})


def _apart(structure: Structure, found: Mapping[QualifiedName, tuple[Move, tuple[QualifiedName, ...]]]) -> Structure:
    if not found:
        return structure
    catalog = structure.catalog
    tables = dict(catalog.tables)
    ends: set[tuple[ObjectKey, ObjectKey]] = set()
    said: dict[ObjectKey, Annotations] = dict(catalog.annotations)
    for name, (move, parents) in found.items():
        table = catalog.tables[name]
        own = {each.name: each for each in (*_inherited(catalog, parents), *table.constraints)}
        constraints = tuple(own[each] for each in sorted(own))
        tables[name] = replace(table, parents=move.kept, constraints=constraints)
        ends |= {(ObjectKey("table", str(name)), ObjectKey("table", str(parent))) for parent in parents}
        given = {
            column for parent in move.kept if parent in catalog.tables for column in catalog.tables[parent].columns
        }
        for column in table.columns.keys() - given:
            key = column_key(ColumnName(*name, column))
            if key in said:
                said[key] = {part: value for part, value in said[key].items() if part != "declared"}
    return Structure(
        replace(catalog, tables=MappingProxyType(tables), annotations=MappingProxyType(said)), structure.needs - ends
    )


def _inherited(catalog: Catalog, parents: Iterable[QualifiedName]) -> Iterator[Constraint]:
    for parent in parents:
        table = catalog.tables.get(parent)
        if table:
            yield from _inherited(catalog, table.parents)
            checks = (each for each in table.constraints if each.kind == "check")
            yield from (each for each in checks if not each.definition.endswith(" NO INHERIT"))
