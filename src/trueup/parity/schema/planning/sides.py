"""The two sides of a plan as units, with who needs whom among them. Does no I/O."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from trueup.parity.schema.expressions import mentions
from trueup.parity.schema.model import Catalog, Column, ObjectKey, Table
from trueup.parity.schema.planning.cutting import cut
from trueup.parity.schema.planning.units import Unit

Needs = frozenset[tuple[ObjectKey, ObjectKey]]
STORED = frozenset({"table", "materialized view"})
NAME = "name"
"""The kind of what an object needs that has a name of its own which no comparison looks at."""
NAMED_NOT_NULL = 180000
"""The server's version since which NOT NULL is a constraint with a name."""


class Structure(NamedTuple):
    """Is a structure, and what in it needs what."""

    catalog: Catalog
    needs: Needs

    @property
    def names(self) -> Mapping[ObjectKey, str]:
        """Return the names that only dumps show: of NOT NULL constraints and of the checks of domains."""
        return {key: name for key, (kind, name) in self.needs if kind == NAME}

    @property
    def names_not_null(self) -> bool:
        """Say whether its NOT NULL constraints have names."""
        return int(self.names.get(ObjectKey("server", "version"), "0")) >= NAMED_NOT_NULL


@dataclass(slots=True, kw_only=True)
class Side:
    """Is one side as units, with who needs whom among them."""

    units: dict[ObjectKey, Unit]
    needs: defaultdict[ObjectKey, set[ObjectKey]] = field(default_factory=lambda: defaultdict(set))
    needed_by: defaultdict[ObjectKey, set[ObjectKey]] = field(default_factory=lambda: defaultdict(set))
    parts: defaultdict[ObjectKey, set[ObjectKey]] = field(default_factory=lambda: defaultdict(set))

    def wholes(self, key: ObjectKey) -> Iterator[ObjectKey]:
        """Yield what a unit is a part of, the nearest first."""
        whole = self.units[key].whole
        while whole is not None and whole in self.units:
            yield whole
            whole = self.units[whole].whole

    def parts_rows(self, key: ObjectKey) -> bool:
        """Say whether a unit is a column by which a table is partitioned: the server never changes such a one."""
        whole = self.units[key].whole
        if whole is None or whole.kind != "table" or key.kind != "table column":
            return False
        table, _ = cast("tuple[Table, object]", self.units[whole].thing)
        column, _ = cast("tuple[Column, object]", self.units[key].thing)
        return mentions(table.partition_key or "", [column.name])


def both_sides(have: Structure, want: Structure) -> tuple[Side, Side]:
    """Return both sides; the names of NOT NULL constraints count only where both have some."""
    is_named = have.names_not_null and want.names_not_null
    return _side(have, is_named=is_named), _side(want, is_named=is_named)


def _side(structure: Structure, *, is_named: bool) -> Side:
    names = {key: name for key, name in structure.names.items() if is_named or key.kind != "not null"}
    side = Side(units=cut(structure.catalog, names))
    pairs = [(unit.key, needed) for unit in side.units.values() for needed in unit.needs]
    for key, needed in [*pairs, *structure.needs]:
        is_said = key.kind == "sequence" and needed.kind.endswith("column")  # The unit of its owner says so.
        is_said |= key.kind == "table" and needed.kind == "type"  # That of following a type does.
        is_said |= needed.kind == "access method" and key.kind in STORED  # What is said of it does.
        if key in side.units and needed in side.units and key != needed and not is_said:
            side.needs[key].add(needed)
            side.needed_by[needed].add(key)
    for unit in side.units.values():
        if unit.whole is not None:
            side.parts[unit.whole].add(unit.key)
    return side
