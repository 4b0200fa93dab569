"""The units that statements make and drop one at a time. Does no I/O."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from trueup.parity.schema.model import Catalog, ObjectKey
from trueup.parity.schema.names import ColumnName, QualifiedName, quote_ident, relation_and_column

SAID = "what is said of "
DEFAULT = "default value"
PARTITION = "partition"
REPLICA_IDENTITY = "replica identity"
OF_TYPE = "of type"
DOMAIN_CHECK = "domain constraint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Is one thing that has statements of its own."""

    key: ObjectKey
    form: Hashable
    """Equal on both sides where nothing has to be done."""
    create: tuple[str, ...]
    """What makes it; empty where it is made with its whole, or nobody knows how."""
    drop: tuple[str, ...] = ()
    whole: ObjectKey | None = None
    """What it is a part of, and is dropped with."""
    made_with_whole: bool = False
    needs: frozenset[ObjectKey] = frozenset()
    """What has to be there before it."""
    thing: object = None
    """The value of the catalog that it was cut from."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What of it has a name that no comparison looks at."""
    is_partitioned: bool = False
    """Whether it is part of a partitioned table: what goes for plain tables may not for those."""
    is_referred: bool = False
    """Whether foreign keys may hold its rows where they are: those of a partition that would leave."""
    given_by: frozenset[ObjectKey] = frozenset()
    """The same of its parents, who pass on what is done with it."""


def is_said(key: ObjectKey) -> bool:
    """Say whether a unit is what is said of another one."""
    return key.kind.startswith(SAID)


def relation_key(catalog: Catalog, name: QualifiedName) -> ObjectKey:
    """Return the key of a table or a view."""
    if name in catalog.views:
        return ObjectKey(catalog.views[name].kind, str(name))
    is_foreign = name in catalog.tables and catalog.tables[name].kind == "foreign table"
    return ObjectKey("foreign table" if is_foreign else "table", str(name))


def schema_of(name: QualifiedName) -> ObjectKey:
    """Return the key of a name's schema."""
    return ObjectKey("schema", quote_ident(name.schema))


def column_key(name: ColumnName, kind: str = "table") -> ObjectKey:
    """Return the key of a column."""
    return ObjectKey(f"{kind} column", str(name))


def relation_of(column: str) -> str:
    """Return the relation of a column's full name, whose quotes may hold points."""
    return relation_and_column(column)[0]
