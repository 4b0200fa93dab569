"""Small structures, built by hand."""

from types import MappingProxyType

import pytest

from trueup.parity.schema import (
    Catalog,
    Column,
    DefinedObject,
    ObjectKey,
    QualifiedName,
    Sequence,
    Table,
    UserType,
    ValueType,
    View,
)

BUILT_IN = {
    "text": ("text", "S"),
    "character varying": ("varchar", "S"),
    "character": ("bpchar", "S"),
    "boolean": ("bool", "B"),
    "timestamp with time zone": ("timestamptz", "D"),
    "timestamp without time zone": ("timestamp", "D"),
    "smallint": ("int2", "N"),
    "integer": ("int4", "N"),
    "bigint": ("int8", "N"),
    "real": ("float4", "N"),
    "double precision": ("float8", "N"),
}


KINDS = (Table, View, Sequence, UserType)


class Build:
    """Builds values with boring defaults; a test states what matters to it."""

    def column(self, name="c", type_="text", **facts):
        return Column(name=name, type=type_, value_type=self.value_type(type_), **facts)

    def value_type(self, type_):
        head, _, tail = type_.partition("(")
        base = head + tail.partition(")")[2].removesuffix("[]") if tail else head.removesuffix("[]")
        name, category = BUILT_IN.get(base, (base, "U"))
        value = ValueType(name=QualifiedName("pg_catalog", name), kind="base", category=category)
        if not type_.endswith("[]"):
            return value
        array = QualifiedName("pg_catalog", f"_{name}")
        return ValueType(name=array, kind="base", category="A", element=value)

    def table(self, *columns, name="clients", kind="table", **facts):
        by_name = MappingProxyType({column.name: column for column in columns})
        return Table(name=QualifiedName("public", name), kind=kind, columns=by_name, **facts)

    def view(self, name="v", definition="SELECT 1", kind="view"):
        return View(name=QualifiedName("public", name), kind=kind, definition=definition)

    def sequence(self, name="s", **facts):
        defaults = {
            "type": "bigint", "start": 1, "increment": 1, "minimum": 1, "maximum": 2**63 - 1, "cache": 1,
            "cycles": False,
        }  # fmt: skip
        return Sequence(name=QualifiedName("public", name), **(defaults | facts))

    def type(self, kind, *parts):
        return UserType(name=QualifiedName("public", "mood"), kind=kind, parts=parts)

    def catalog(self, *things, schemas=("public",), annotations=None):
        kinds = {kind: {thing.name: thing for thing in things if isinstance(thing, kind)} for kind in KINDS}
        return Catalog(
            schemas=frozenset(schemas),
            tables=kinds[Table],
            views=kinds[View],
            sequences=kinds[Sequence],
            types=kinds[UserType],
            objects={ObjectKey(each.kind, each.identity): each for each in things if isinstance(each, DefinedObject)},
            annotations=annotations or {},
            not_compared={},
            skipped={},
        )


@pytest.fixture
def build():
    return Build()
