"""Which rows promise to point to which others, as a database declares it."""

from dataclasses import dataclass
from typing import LiteralString

from trueup.parity.data.sides.lockstep import Side
from trueup.parity.schema import Catalog, QualifiedName

FOREIGN_KEYS: LiteralString = """
    select
        cn.nspname::text, c.relname::text, pn.nspname::text, p.relname::text, f.conname::text,
        array(
            select a.attname::text
            from unnest(f.conkey) with ordinality as k (number, place)
            join pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.number
            order by k.place
        ),
        array(
            select a.attname::text
            from unnest(f.confkey) with ordinality as k (number, place)
            join pg_attribute a on a.attrelid = f.confrelid and a.attnum = k.number
            order by k.place
        )
    from pg_constraint f
    join pg_class c on c.oid = f.conrelid
    join pg_namespace cn on cn.oid = c.relnamespace
    join pg_class p on p.oid = f.confrelid
    join pg_namespace pn on pn.oid = p.relnamespace
    where f.contype = 'f' and f.conparentid = 0
    order by 1, 2, 5
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """Is what rows of one table promise about rows of another."""

    child: QualifiedName
    parent: QualifiedName
    name: str
    columns: tuple[str, ...]
    parent_columns: tuple[str, ...]

    @property
    def meaning(self) -> tuple[object, ...]:
        """What it promises, whatever it is called."""
        return self.child, self.parent, frozenset(zip(self.columns, self.parent_columns, strict=True))

    def fits(self, catalog: Catalog) -> bool:
        """Return whether a database has the tables and columns that it is about."""
        sides = ((self.child, self.columns), (self.parent, self.parent_columns))
        return all(name in catalog.tables and {*names} <= catalog.tables[name].columns.keys() for name, names in sides)


def read_foreign_keys(side: Side) -> tuple[ForeignKey, ...]:
    """Return the foreign keys of a database, also those that are not valid."""
    return tuple(
        ForeignKey(
            child=QualifiedName(schema, table),
            parent=QualifiedName(parent_schema, parent),
            name=name,
            columns=tuple(columns),
            parent_columns=tuple(parent_columns),
        )
        for schema, table, parent_schema, parent, name, columns, parent_columns in side.snapshot.rows(FOREIGN_KEYS)
        if QualifiedName(schema, table) in side.catalog.tables
    )
