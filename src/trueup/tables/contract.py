"""What the rows of a table are: the only place where names of columns come from."""

import re
import types
from collections.abc import Mapping
from dataclasses import KW_ONLY, MISSING, dataclass, fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Final, Generic, Literal, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from psycopg import sql

from trueup.tables.encoding import BadValue
from trueup.tables.errors import ContractError, UnknownColumn
from trueup.tables.marker_rules import Equals, Follows, Marker
from trueup.tables.sql_types import Family, SqlType, parse_type

R = TypeVar("R")

UNSET: Final[Any] = msgspec.UNSET
"""Stands for a column that a row says nothing about: it is left out of the statement. None is NULL."""


@dataclass(frozen=True, slots=True)
class Sql:
    """Declares the SQL type of a column: `Annotated[Decimal, Sql("numeric(10,2)")]`."""

    type: str


DERIVED: Mapping[Any, str] = types.MappingProxyType(
    {
        int: "bigint",
        str: "text",
        bool: "boolean",
        float: "double precision",
        Decimal: "numeric",
        date: "date",
        time: "time",
        datetime: "timestamptz",
        timedelta: "interval",
        UUID: "uuid",
        bytes: "bytea",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """Is one column as the contract has it."""

    name: str
    type: SqlType
    declared: str
    """The type with its length or precision, as `format_type` shows it."""
    nullable: bool

    @property
    def identifier(self) -> sql.Identifier:
        """Return the quoted name."""
        return sql.Identifier(self.name)

    @property
    def most(self) -> int | None:
        """How many characters a text may have; None: any number."""
        found = re.fullmatch(r"character varying\((\d+)\)", self.declared)
        return int(found[1]) if found else None


@dataclass(frozen=True, eq=False)
class Table(Generic[R]):
    """Is the contract of one table: what its rows are, and what may be written.

    `row` is a dataclass (frozen with slots is fastest) or a `msgspec.Struct`. Each field is a column of the same name;
    its annotation gives the type (`int` is bigint) unless `Annotated[…, Sql("integer")]` names another, and `| None`
    makes it nullable. dict and list of anything need `Sql("jsonb")`; `list[str]` is `text[]`. Where the
    server has a default for a column, UNSET is the default of its field.

    Raises:
        ContractError: it contradicts itself; the message says how.
    """

    name: str
    """With its schema: `public.clients`."""
    row: type[R]
    _: KW_ONLY
    primary_key: tuple[str, ...]
    conflict_key: tuple[str, ...] = ()
    """What `upsert` recognises a row by, when it isn't the primary key. It needs a unique index."""
    tenant: str | None = None
    """The column that says whose row it is; every statement has to name it."""
    insert_only: tuple[str, ...] = ()
    """Written by an insert, left alone by updates."""
    generated: tuple[str, ...] = ()
    """Made by the server, never written: generated columns and identities that are `generated always`."""
    touch: str | None = None
    """Set to now() by every update that changes something, whatever the row says."""
    marker: Marker | None = None
    """What makes a row test data; None: tests can't leave rows on a live database."""

    def __post_init__(self) -> None:
        parts = self.name.split(".")
        if len(parts) != 2 or not all(parts) or "\0" in self.name:
            raise ContractError(f"table {self.name!r}: name it with its schema, as in 'public.clients'")
        check_names(self)
        check_keys(self)
        if self.marker is not None:
            check_marker(self, self.marker)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Return the columns in the order of the row's fields."""
        return tuple(column_of(self, name, hint) for name, hint in annotations_of(self).items())

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        """Return the columns by their names."""
        return types.MappingProxyType({column.name: column for column in self.columns})

    @cached_property
    def identifier(self) -> sql.Identifier:
        """Return the quoted name."""
        return sql.Identifier(*self.name.split("."))

    @cached_property
    def key(self) -> tuple[str, ...]:
        """Return the names of the columns that `upsert` recognises a row by."""
        return self.conflict_key or self.primary_key

    def column(self, name: str) -> Column:
        """Return the column of that name.

        Raises:
            UnknownColumn: the contract has none of that name.
        """
        try:
            return self.by_name[name]
        except (KeyError, TypeError):
            known = ", ".join(self.by_name)
            raise UnknownColumn(f"{self.name} has no column {name!r} in its contract; it has {known}") from None

    @cached_property
    def insertable(self) -> tuple[str, ...]:
        """Return the names of the columns that an insert may write, in order."""
        return tuple(column.name for column in self.columns if column.name not in self.generated)

    @cached_property
    def required(self) -> frozenset[str]:
        """Return the names of the columns that a new row must set: neither they nor their fields have a default."""
        row: Any = self.row
        if is_dataclass(row):
            bare = {each.name for each in fields(row) if each.default is MISSING and each.default_factory is MISSING}
        else:
            bare = {each.name for each in msgspec.structs.fields(row) if each.required}
        return frozenset(column.name for column in self.columns if column.name in bare and not column.nullable)

    @cached_property
    def updatable(self) -> frozenset[str]:
        """Return the names of the columns that an upsert may change in a row that exists."""
        fixed = {*self.primary_key, *self.key, *self.insert_only, *self.generated, self.touch, self.tenant}
        return frozenset(self.by_name) - fixed


def annotations_of(table: Table[Any]) -> dict[str, Any]:
    """Return the annotation of each field of the row class."""
    row: Any = table.row
    if is_dataclass(row):
        names = [each.name for each in fields(row)]
    elif isinstance(row, type) and issubclass(row, msgspec.Struct):
        names = list(row.__struct_fields__)
    else:
        raise ContractError(f"{table.name}: row must be a dataclass or a msgspec.Struct, not {row!r}")
    try:
        hints = get_type_hints(row, include_extras=True)
    except NameError as error:
        raise ContractError(f"{table.name}: an annotation of {row.__name__} can't be resolved: {error}") from error
    if not names:
        raise ContractError(f"{table.name}: {row.__name__} has no fields")
    return {name: hints[name] for name in names}


def column_of(table: Table[Any], name: str, hint: Any) -> Column:
    """Return the column that a field stands for."""
    inner, nullable, declared = unwrap(hint)
    place = f"{table.name}.{name}"
    try:
        text = declared or derive(inner)
        kind, formatted = parse_type(text)
    except ValueError as error:
        raise ContractError(f"{place}: {error}; declare it with Annotated[…, Sql(…)]") from None
    if not comes_back_as(kind, inner):
        raise ContractError(f"{place}: {formatted} comes back as {kind.python.__name__}, not as {inner!r}")
    return Column(name=name, type=kind, declared=formatted, nullable=nullable)


def comes_back_as(kind: SqlType, inner: Any) -> bool:
    """Say whether a value of the SQL type is, when it comes back, what the annotation says."""
    if kind.family is Family.ARRAY and kind.element and get_origin(inner) is list:
        return comes_back_as(kind.element, unwrap(get_args(inner)[0])[0])
    if get_origin(inner) is Literal:
        return {type(each) for each in get_args(inner)} == {kind.python}
    return kind.python is object or inner in {kind.python, Any, object}


def unwrap(hint: Any) -> tuple[Any, bool, str | None]:
    """Return the bare annotation, whether it allows None, and the declared SQL type."""
    if get_origin(hint) is Annotated:
        bare, *extras = get_args(hint)
        inner, nullable, declared = unwrap(bare)
        return inner, nullable, next((extra.type for extra in extras if isinstance(extra, Sql)), declared)
    if get_origin(hint) in {Union, types.UnionType}:
        parts = [part for part in get_args(hint) if part is not msgspec.UnsetType]
        bare = [part for part in parts if part is not type(None)]
        nullable = len(bare) < len(parts)
        if len(bare) == 1:
            inner, _, declared = unwrap(bare[0])
            return inner, nullable, declared
        return hint, nullable, None
    return hint, False, None


def derive(inner: Any) -> str:
    """Return the SQL type that an annotation stands for.

    Raises:
        ValueError: it stands for none, or for several.
    """
    if get_origin(inner) is Literal:
        classes = {type(each) for each in get_args(inner)}
        inner = classes.pop() if len(classes) == 1 else inner
    if get_origin(inner) is list:
        (item,) = get_args(inner)
        element, _, declared = unwrap(item)
        if declared or element in DERIVED:
            return f"{declared or DERIVED[element]}[]"
    if inner in DERIVED:
        return DERIVED[inner]
    raise ValueError(f"no SQL type is derived from {inner!r}")


def check_names(table: Table[Any]) -> None:
    """Raise ContractError unless every role names columns of the row."""
    for role in ("primary_key", "conflict_key", "insert_only", "generated"):
        names = getattr(table, role)
        if not isinstance(names, tuple):
            raise ContractError(f"{table.name}: {role} must be a tuple of names, as in ('id',)")
        if len(set(names)) < len(names):
            raise ContractError(f"{table.name}: {role} names a column twice")
        for name in names:
            check_name(table, role, name)
    for role in ("tenant", "touch"):
        if (name := getattr(table, role)) is not None:
            check_name(table, role, name)


def check_name(table: Table[Any], role: str, name: str) -> None:
    """Raise ContractError unless a role names a column of the row."""
    if name not in table.by_name:
        raise ContractError(f"{table.name}: {role} names {name!r}, which is no field of {table.row.__name__}")


def check_keys(table: Table[Any]) -> None:
    """Raise ContractError unless the keys and the touch column can do what they are for."""
    if not table.primary_key:
        raise ContractError(f"{table.name}: primary_key is empty; pages and ties need it")
    for name in {*table.primary_key, *table.key}:
        if table.by_name[name].type.family not in {Family.TEXT, Family.ORDERED}:
            raise ContractError(f"{table.name}.{name}: {table.by_name[name].declared} can't be part of a key")
    for name in table.primary_key:
        if table.by_name[name].nullable:
            raise ContractError(f"{table.name}.{name}: a column of the primary key is never NULL")
    for name in set(table.generated) & set(table.conflict_key):
        raise ContractError(f"{table.name}.{name}: the server makes it, so upsert can't recognise a row by it")
    touch = table.touch and table.by_name[table.touch]
    if touch and not touch.declared.startswith("timestamp"):
        raise ContractError(f"{table.name}.{touch.name}: touch sets now(), which {touch.declared} does not hold")


def check_marker(table: Table[Any], marker: Marker) -> None:
    """Raise ContractError unless a factory can write the marker and no row has it by accident."""
    for name in marker.columns:
        check_name(table, "marker", name)
        if name in table.generated:
            raise ContractError(f"{table.name}.{name}: the server makes it, so no factory can write the marker")
    if isinstance(marker, Follows):
        if not marker.keys or marker.parent == table.name or len(marker.parent.split(".")) != 2:
            raise ContractError(
                f"{table.name}: a marker that follows names another table with its schema, and at least one column:"
                ' Follows("public.clients", {"client_id": "id"})'
            )
        return
    column = table.by_name[marker.column]
    is_text = column.type.family is Family.TEXT
    if not is_text and (not isinstance(marker, Equals) or column.type.family is not Family.ORDERED):
        raise ContractError(f"{table.name}.{column.name}: {column.declared} can't hold such a marker")
    value = marker.value if isinstance(marker, Equals) else marker.text
    if value is None or value is UNSET or value == "":
        raise ContractError(f"{table.name}.{column.name}: the marker is empty, so it would match rows of everybody")
    try:
        column.type.encode(value)
    except BadValue as error:
        raise ContractError(f"{table.name}.{column.name}: the marker {error.reason}") from None
    if column.most is not None and len(value) + (not isinstance(marker, Equals)) > column.most:
        raise ContractError(f"{table.name}.{column.name}: {column.declared} has no room for the marker")
