"""What a database is made of, as plain values: equal for equal objects, whatever their oids, order or version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from trueup.parity.schema.names import ColumnName, QualifiedName

TypeKind = Literal["base", "composite", "enum", "multirange", "pseudo", "range"]
TableKind = Literal["table", "partitioned table", "foreign table"]
ViewKind = Literal["view", "materialized view"]
UserTypeKind = Literal["enum type", "domain", "composite type", "range type"]
ConstraintKind = Literal["primary key", "unique", "foreign key", "check", "exclusion"]
Identity = Literal["always", "by default"]
Storage = Literal["stored", "virtual"]
Persistence = Literal["permanent", "unlogged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueType:
    """Is the type of the values of a column, below any domain."""

    name: QualifiedName
    """As `pg_type` calls it: pg_catalog.int4."""
    kind: TypeKind
    category: str
    """`pg_type.typcategory`: N for numbers, S for strings, A for arrays."""
    element: "ValueType | None" = None
    """Of an array, below any domain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """Is how a generated column gets its values."""

    storage: Storage
    expression: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Is one column of a table; its position is not part of it."""

    name: str
    type: str
    """With length, precision and array: `character varying(50)`, `numeric(10,2)[]`."""
    value_type: ValueType
    nullable: bool = True
    default: str | None = None
    identity: Identity | None = None
    """None in a partition whose parent has it."""
    generated: Generated | None = None
    collation: str | None = None
    """None where it is the type's own."""
    deterministic: bool = True
    """False where its collation calls different strings equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """Is one constraint that a table declares itself; those a parent gives to its partitions are the parent's."""

    name: str
    kind: ConstraintKind
    columns: tuple[str, ...]
    """In the order of the definition; empty for a check that names none."""
    definition: str
    valid: bool = True
    """False where the index behind it is not usable, or the triggers that enforce it are disabled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """Is one index that no constraint owns; those a parent gives to its partitions are the parent's."""

    name: str
    definition: str
    """`CREATE UNIQUE INDEX ON public.clients USING btree (phone)`: without its name."""
    unique: bool
    columns: tuple[str, ...]
    """Of the key; empty where an expression is part of it."""
    is_partial: bool = False
    valid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Is one table, partition or foreign table."""

    name: QualifiedName
    kind: TableKind
    columns: Mapping[str, Column]
    """In the order of the table."""
    primary_key: tuple[str, ...] = ()
    unique_keys: tuple[tuple[str, ...], ...] = ()
    """Other keys that identify a row: no NULL, no predicate, no expression, valid index; shortest first."""
    constraints: tuple[Constraint, ...] = ()
    """Sorted by name, like `indexes`."""
    indexes: tuple[Index, ...] = ()
    parents: tuple[QualifiedName, ...] = ()
    """Whom it inherits from, or whose partition it is."""
    partition_key: str | None = None
    """`RANGE (starts_at)` of a partitioned table."""
    partition_bound: str | None = None
    """`FOR VALUES FROM (1) TO (10)` of a partition."""
    persistence: Persistence = "permanent"
    row_security: bool = False
    row_security_forced: bool = False
    readable: bool = True
    """Whether the reader may select from it; not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Is one view or materialized view."""

    name: QualifiedName
    kind: ViewKind
    definition: str
    indexes: tuple[Index, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """Is one sequence, without its position."""

    name: QualifiedName
    type: str
    start: int
    increment: int
    minimum: int
    maximum: int
    cache: int
    cycles: bool
    persistence: Persistence = "permanent"
    owner: ColumnName | None = None
    """The column it is dropped with."""
    feeds: tuple[ColumnName, ...] = ()
    """Columns whose default calls it, or whose identity it is."""
    is_identity: bool = False
    """Whether it belongs to an identity column, which gives it its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserType:
    """Is one type that the database defines itself."""

    name: QualifiedName
    kind: UserTypeKind
    parts: tuple[str, ...]
    """Labels of an enum in their order; attributes of a composite type; base type and clauses of a domain or range."""


class ObjectKey(NamedTuple):
    """Is how the server itself names an object: pg_identify_object()."""

    kind: str
    """`function`, `table column`, `text search dictionary`."""
    identity: str
    """`public.f(integer)`, `public.t.c`, `audit on public.t`."""


Annotations = Mapping[str, str]
"""What is said of an object beside its definition: {"owner": "app", "comment": "…", "grants to web": "select"}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinedObject:
    """Is one object that is compared by what its definition says: a function, a trigger, a policy and the like."""

    kind: str
    identity: str
    parts: Mapping[str, str]
    """What it is made of: {"language": "sql", "body": "select 1", "volatility": "stable"}."""
    create: str | None = None
    """The statement that makes it, where the server can print it."""
    table: QualifiedName | None = None
    """The relation that it is dropped with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Is the structure of one database at one moment."""

    schemas: frozenset[str]
    tables: Mapping[QualifiedName, Table]
    """Sorted by name, like every mapping here."""
    views: Mapping[QualifiedName, View]
    sequences: Mapping[QualifiedName, Sequence]
    types: Mapping[QualifiedName, UserType]
    objects: Mapping[ObjectKey, DefinedObject]
    annotations: Mapping[ObjectKey, Annotations]
    not_compared: Mapping[str, int]
    """Kinds of objects and settings that are there and that no comparison looks at: {"function": 12}."""
    skipped: Mapping[str, int]
    """What is not the database's own: {"extension postgis": 812 objects}."""

    def column(self, name: ColumnName) -> Column | None:
        """Return a column by its full name."""
        table = self.tables.get(name.relation)
        return table.columns.get(name.column) if table else None


def compared(catalog: Catalog) -> dict[str, int]:
    """Return how much of a database a comparison looks at."""
    tables, views = catalog.tables.values(), catalog.views.values()
    return {
        "schemas": len(catalog.schemas),
        "tables": len(tables),
        "columns": sum(len(table.columns) for table in tables),
        "constraints": sum(len(table.constraints) for table in tables),
        "indexes": sum(len(table.indexes) for table in tables) + sum(len(view.indexes) for view in views),
        "sequences": len(catalog.sequences),
        "types": len(catalog.types),
        "views": len(views),
        "other objects": len(catalog.objects),
    }
