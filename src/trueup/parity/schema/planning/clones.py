"""What partitions have of their own in what their parents gave them: triggers enabled in another way. Does no I/O."""

from collections.abc import Iterator

from trueup.parity.schema.model import Catalog, DefinedObject, ObjectKey
from trueup.parity.schema.names import QualifiedName
from trueup.parity.schema.planning.units import PARTITION, Unit, relation_key

WORDS = {
    "enabled": "enable", "disabled": "disable", "replica": "enable replica", "always": "enable always"
}  # fmt: skip


def cloned(catalog: Catalog, found: DefinedObject) -> Iterator[Unit]:
    """Yield the unit of a clone: how it is enabled, which its parent decides unless something else is said."""
    table = catalog.tables.get(found.table) if found.table else None
    if table is None or found.table is None:
        return
    name = found.identity.removesuffix(f" on {found.table}")
    line = list(ancestors(catalog, found.table))
    above = next((key for each in line if (key := ObjectKey("trigger", f"{name} on {each}")) in catalog.objects), None)
    given = catalog.objects[above].parts.get("state", "enabled") if above else "enabled"
    alter = f"alter table {table.name}"
    attached = {ObjectKey(PARTITION, str(each)) for each in (table.name, *line[:-1])}
    yield Unit(
        key=ObjectKey("trigger", found.identity),
        form=tuple(sorted(found.parts.items())),
        create=(f"{alter} {WORDS[found.parts.get('state', given)]} trigger {name}",),
        drop=(f"{alter} {WORDS[given]} trigger {name}",),
        whole=relation_key(catalog, table.name),
        needs=frozenset(attached | ({above} if above else set())),
    )


def ancestors(catalog: Catalog, name: QualifiedName) -> Iterator[QualifiedName]:
    """Yield the parents of a table, the nearest first."""
    table = catalog.tables.get(name)
    for parent in table.parents if table else ():
        yield parent
        yield from ancestors(catalog, parent)
