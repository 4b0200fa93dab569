"""Reads the structure of a database: one query a kind that is there, all in the one transaction of a snapshot.

The versions 14 to 18 give the same text for the same object once `search_path` is empty, as a Snapshot has it; the few
places where they don't are named in the queries beside this module, and in `viewdefs`.

Source: PostgreSQL manual, "System Catalogs".
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from itertools import chain
from types import MappingProxyType
from typing import Any

import psycopg

from trueup.db import Snapshot
from trueup.errors import Unverifiable
from trueup.parity.schema.model import (
    Catalog,
    Column,
    Constraint,
    ConstraintKind,
    DefinedObject,
    Generated,
    Identity,
    Index,
    ObjectKey,
    Persistence,
    Sequence,
    Storage,
    Table,
    TableKind,
    TypeKind,
    UserType,
    UserTypeKind,
    ValueType,
    View,
    ViewKind,
)
from trueup.parity.schema.names import ColumnName, QualifiedName
from trueup.parity.schema.viewdefs import unqualified

Row = tuple[Any, ...]
Oid = int

TABLES: Mapping[str, TableKind] = {"r": "table", "p": "partitioned table", "f": "foreign table"}
VIEWS: Mapping[str, ViewKind] = {"v": "view", "m": "materialized view"}
TYPES: Mapping[str, TypeKind] = {
    "b": "base", "c": "composite", "e": "enum", "m": "multirange", "p": "pseudo", "r": "range"
}  # fmt: skip
USER_TYPES: Mapping[str, UserTypeKind] = {"e": "enum type", "d": "domain", "c": "composite type", "r": "range type"}
CONSTRAINTS: Mapping[str, ConstraintKind] = {
    "p": "primary key", "u": "unique", "f": "foreign key", "c": "check", "x": "exclusion"
}  # fmt: skip
IDENTITIES: Mapping[str, Identity] = {"a": "always", "d": "by default"}
OBJECTS = (
    "functions", "triggers", "policies", "extensions", "statistics", "replication", "foreign", "operators", "languages"
)  # fmt: skip
"""The queries for objects that are compared by what their definition says."""
PERSISTENCE: Mapping[str, Persistence] = {"u": "unlogged"}
STORAGES: Mapping[str, Storage] = {"s": "stored", "v": "virtual"}


def catalog(snapshot: Snapshot) -> Catalog:
    """Read the structure of the snapshot's database: all that is its own, and counts of what is not looked at.

    Raises:
        Disconnected: the server went away meanwhile.
        Unverifiable: somebody changed the structure meanwhile: the functions that print definitions see it at once.
    """
    return _checked(snapshot, _read)


def row_catalog(snapshot: Snapshot) -> Catalog:
    """Read what a comparison of rows needs: tables with their triggers, views, sequences and types, in half the time.

    Raises:
        Disconnected, Unverifiable: as of `catalog`.
    """
    return _checked(snapshot, _read_relations)


def _checked(snapshot: Snapshot, read: Callable[[Snapshot], Catalog]) -> Catalog:
    try:
        found = read(snapshot)
    except psycopg.errors.InternalError_ as error:
        raise _changed(snapshot) from error
    if None in _definitions(found):
        raise _changed(snapshot)
    return found


def _changed(snapshot: Snapshot) -> Unverifiable:
    return Unverifiable(f"the structure of {snapshot.conninfo} changed while it was read: run it again")


def _definitions(found: Catalog) -> set[str | None]:
    tables, views = found.tables.values(), found.views.values()
    return {
        *(constraint.definition for table in tables for constraint in table.constraints),
        *(index.definition for table in tables for index in table.indexes),
        *(index.definition for view in views for index in view.indexes),
        *(view.definition for view in views),
    }


def _read(snapshot: Snapshot) -> Catalog:
    relations, present = snapshot.rows(query("relations")), _present(snapshot)
    scope = _scope(relations)
    return replace(
        _related(snapshot, relations, present),
        objects=MappingProxyType(_objects(snapshot, scope, filter(present.__contains__, OBJECTS))),
        annotations=MappingProxyType(_annotations(snapshot.rows(query("annotations"), scope))),
        not_compared=MappingProxyType(dict(snapshot.rows(query("uncompared"), scope))),
        skipped=MappingProxyType(dict(snapshot.rows(query("skipped")))),
    )


def _read_relations(snapshot: Snapshot) -> Catalog:
    relations, present = snapshot.rows(query("relations")), _present(snapshot)
    triggers = _objects(snapshot, _scope(relations), {"triggers"} & present)
    return replace(_related(snapshot, relations, present), objects=MappingProxyType(triggers))


def _present(snapshot: Snapshot) -> frozenset[str]:
    """Return the names of the queries that find something, as far as that can be told for less than they take."""
    [(names,)] = snapshot.rows(query("present"))
    return frozenset(names)


def _scope(relations: Iterable[Row]) -> dict[str, object]:
    return {"relations": [row[0] for row in relations]}


def _related(snapshot: Snapshot, relations: Iterable[Row], present: frozenset[str]) -> Catalog:
    scope = _scope(relations)
    columns = _columns(snapshot.rows(query("columns"), scope), snapshot.rows(query("types"), scope))
    constraints = _grouped(snapshot.rows(query("constraints"), scope))
    indexes = _grouped(snapshot.rows(query("indexes"), scope))
    sequences = {row[0]: row[1:] for row in snapshot.rows(query("sequences"), scope)} if "sequences" in present else {}
    names_tables = snapshot.server_version < 160000
    tables, views, numbers = {}, {}, {}
    for oid, kind, schema, relation, *facts in relations:
        name = QualifiedName(schema, relation)
        if kind in TABLES:
            tables[name] = _table(
                name, kind, facts=facts, columns=columns[oid], constraints=constraints[oid], indexes=indexes[oid]
            )
        elif kind in VIEWS:
            definition = unqualified(facts[-1]) if names_tables and facts[-1] else facts[-1]
            views[name] = View(name=name, kind=VIEWS[kind], definition=definition, indexes=_indexes(indexes[oid]))
        else:
            numbers[name] = _sequence(name, sequences[oid], facts[0])
    return Catalog(
        schemas=frozenset(name for (name,) in snapshot.rows(query("schemas"))),
        tables=MappingProxyType(tables),
        views=MappingProxyType(views),
        sequences=MappingProxyType(numbers),
        types=MappingProxyType(_user_types(snapshot.rows(query("user_types")) if "user_types" in present else ())),
        objects=MappingProxyType({}),
        annotations=MappingProxyType({}),
        not_compared=MappingProxyType({}),
        skipped=MappingProxyType({}),
    )


@cache
def query(name: str) -> str:
    """Return the text of a query beside this module."""
    return files("trueup.parity.schema").joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")


def _grouped(rows: Iterable[Row]) -> Mapping[Oid, list[Row]]:
    found: defaultdict[Oid, list[Row]] = defaultdict(list)
    for oid, *row in rows:
        found[oid].append(tuple(row))
    return found


def _columns(rows: Iterable[Row], types: Iterable[Row]) -> Mapping[Oid, dict[str, Column]]:
    known = {oid: row for oid, *row in types}
    columns: defaultdict[Oid, dict[str, Column]] = defaultdict(dict)
    for relation, name, type_, type_oid, nullable, expression, identity, generated, collation, deterministic in rows:
        columns[relation][name] = Column(
            name=name,
            type=type_,
            value_type=_value_type(type_oid, known),
            nullable=nullable,
            default=None if generated else expression,
            identity=IDENTITIES.get(identity),
            generated=Generated(storage=STORAGES[generated], expression=expression) if generated else None,
            collation=collation,
            deterministic=deterministic,
        )
    return columns


def _user_types(rows: Iterable[Row]) -> dict[QualifiedName, UserType]:
    types = [
        UserType(name=QualifiedName(schema, name), kind=USER_TYPES[kind], parts=tuple(parts))
        for schema, name, kind, parts in rows
    ]
    return {type_.name: type_ for type_ in types}


def _objects(snapshot: Snapshot, scope: Mapping[str, object], kinds: Iterable[str]) -> dict[ObjectKey, DefinedObject]:
    rows = chain.from_iterable(snapshot.rows(query(name), scope) for name in kinds)
    return {
        ObjectKey(kind, identity): DefinedObject(
            kind=kind,
            identity=identity,
            parts=MappingProxyType(parts),
            create=create,
            table=QualifiedName(*table) if table else None,
        )
        for kind, identity, parts, create, table in rows
    }


def _annotations(rows: Iterable[Row]) -> dict[ObjectKey, dict[str, str]]:
    found: defaultdict[ObjectKey, dict[str, str]] = defaultdict(dict)
    for kind, identity, part, value in rows:
        found[ObjectKey(kind, identity)][part] = value
    return dict(found)


def _value_type(oid: Oid, known: Mapping[Oid, list[Any]]) -> ValueType:
    schema, name, kind, category, base, element = known[oid]
    if base:
        return _value_type(base, known)
    return ValueType(
        name=QualifiedName(schema, name),
        kind=TYPES[kind],
        category=category,
        element=_value_type(element, known) if element else None,
    )


def _table(
    name: QualifiedName,
    kind: str,
    *,
    facts: list[Any],
    columns: dict[str, Column],
    constraints: list[Row],
    indexes: list[Row],
) -> Table:
    persistence, row_security, forced, readable, bound, partition_key, parents, _ = facts
    keys = [(tuple(row[3]), row[6]) for row in indexes if row[8]]
    return Table(
        name=name,
        kind=TABLES[kind],
        columns=MappingProxyType(columns),
        primary_key=next((key for key, is_primary in keys if is_primary), ()),
        unique_keys=tuple(sorted((key for key, is_primary in keys if not is_primary), key=lambda key: (len(key), key))),
        constraints=tuple(_constraint(*row) for row in constraints),
        indexes=_indexes(indexes),
        parents=tuple(QualifiedName(*parent) for parent in parents),
        partition_key=partition_key,
        partition_bound=bound,
        persistence=PERSISTENCE.get(persistence, "permanent"),
        row_security=row_security,
        row_security_forced=forced,
        readable=readable,
    )


def _constraint(name: str, kind: str, columns: list[str], definition: str, valid: bool) -> Constraint:  # noqa: FBT001
    return Constraint(name=name, kind=CONSTRAINTS[kind], columns=tuple(columns), definition=definition, valid=valid)


def _indexes(rows: Iterable[Row]) -> tuple[Index, ...]:
    return tuple(
        Index(name=name, definition=definition, unique=unique, columns=tuple(columns), is_partial=partial, valid=valid)
        for name, definition, unique, columns, partial, valid, _, is_implied, _ in rows
        if not is_implied
    )


def _sequence(name: QualifiedName, row: Row, persistence: str) -> Sequence:
    type_, start, increment, minimum, maximum, cache_, cycles, owner, feeds, is_identity = row
    owned_by = ColumnName(*owner) if owner else None
    return Sequence(
        name=name,
        type=type_,
        start=start,
        increment=increment,
        minimum=minimum,
        maximum=maximum,
        cache=cache_,
        cycles=cycles,
        persistence=PERSISTENCE.get(persistence, "permanent"),
        owner=owned_by,
        feeds=(owned_by,) if owned_by and is_identity else tuple(ColumnName(*column) for column in feeds),
        is_identity=is_identity,
    )
