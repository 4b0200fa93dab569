"""The names of indexes that partitions have from their parents: the server gives them, unless they were there before.

Does no I/O.

Source: PostgreSQL, src/backend/commands/indexcmds.c, `ChooseIndexName`.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from trueup.parity.schema.model import Catalog, Constraint, Index, ObjectKey, Table
from trueup.parity.schema.names import QualifiedName, quote_ident
from trueup.parity.schema.pairs import LABELS
from trueup.parity.schema.planning.clones import ancestors
from trueup.parity.schema.planning.decision import Decision
from trueup.parity.schema.planning.sides import Structure
from trueup.parity.schema.planning.units import PARTITION

KIND = "index of a partition"
LONGEST = 63
"""So many bytes has a name; a longer one is cut in a way of its own."""


class PartitionIndex(NamedTuple):
    """Is one index of a partition, which is a part of its parent's."""

    of: ObjectKey
    """What its parent's index is, or the constraint behind that."""
    table: Table
    name: str
    expected: str | None
    """The server's own choice; None where nobody knows it."""


Names = Mapping[ObjectKey, str]


def index_renames(decision: Decision, have: Names, want: Structure) -> Iterator[tuple[ObjectKey, str]]:
    """Yield the statements that give the indexes of partitions their names, once all else is done."""
    for key, found in _found(want.names, want.catalog):
        line = [found.table.name, *ancestors(want.catalog, found.table.name)]
        attached = (ObjectKey(PARTITION, str(name)) for name in line)
        if not decision.want.units[found.of].create:
            continue
        is_attached = any(map(decision.is_new, attached))
        if is_attached and not decision.is_new(ObjectKey("table", str(found.table.name))):
            continue  # It may bring one of its own that fits.
        is_new = is_attached or decision.is_new(found.of)
        name = found.expected if is_new else have.get(key)
        if name and name != found.name:
            full = QualifiedName(found.table.name.schema, name)
            yield key, f"alter index {full} rename to {quote_ident(found.name)}"


def _found(names: Names, catalog: Catalog) -> Iterator[tuple[ObjectKey, PartitionIndex]]:
    tables = {str(name): table for name, table in catalog.tables.items()}
    things = dict(_things(catalog))
    for key, name in names.items():
        index, _, table = key.identity.partition(" for ")
        if key.kind == KIND and table in tables and index in things:
            of, thing = things[index]
            yield key, PartitionIndex(of, tables[table], name, _expected(tables[table], thing))


def _things(catalog: Catalog) -> Iterator[tuple[str, tuple[ObjectKey, Index | Constraint]]]:
    """Yield what the indexes of partitioned tables are, by the full names of the indexes."""
    for table in catalog.tables.values():
        own: tuple[Index | Constraint, ...] = (*table.indexes, *table.constraints) if table.partition_key else ()
        for each in own:
            full = str(QualifiedName(table.name.schema, each.name))
            is_index = isinstance(each, Index)
            constraint = ObjectKey("table constraint", f"{quote_ident(each.name)} on {table.name}")
            yield full, (ObjectKey("index", full) if is_index else constraint, each)


def _expected(table: Table, thing: Index | Constraint) -> str | None:
    kind = "index" if isinstance(thing, Index) else thing.kind
    if " INCLUDE (" in thing.definition or not thing.columns:
        return None
    columns = [] if kind == "primary key" else thing.columns
    name = "_".join([table.name.name, *columns, LABELS[kind]])
    return name if len(name.encode()) <= LONGEST else None
