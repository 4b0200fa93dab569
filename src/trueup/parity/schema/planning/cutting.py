"""A structure cut into units. Does no I/O."""

import re
from collections.abc import Iterator, Mapping

from trueup.parity.schema.expressions import restored
from trueup.parity.schema.model import Catalog, Constraint, Index, ObjectKey, View
from trueup.parity.schema.names import QualifiedName, quote_ident, relation_and_column
from trueup.parity.schema.objects import is_clone
from trueup.parity.schema.planning import clones, domains, making
from trueup.parity.schema.planning.table_units import HOW, index_units, table_units
from trueup.parity.schema.planning.units import (
    DEFAULT,
    DOMAIN_CHECK,
    OF_TYPE,
    PARTITION,
    REPLICA_IDENTITY,
    SAID,
    Unit,
    column_key,
    relation_key,
    relation_of,
    schema_of,
)

IN_SCHEMA = re.compile(r' in schema ("(?:[^"]|"")*"|\S+) on \w+$')
STANDARD = "comment on schema public is 'standard public schema'"


def cut(catalog: Catalog, names: Mapping[ObjectKey, str]) -> dict[ObjectKey, Unit]:
    """Return the units of a structure by their keys."""
    names = {**names, **_lenient(catalog)}
    units = [
        *_schemas(catalog),
        *_types(catalog, names),
        *_sequences(catalog),
        *(unit for table in catalog.tables.values() for unit in table_units(catalog, table, names)),
        *(unit for view in catalog.views.values() for unit in _view(view)),
        *_objects(catalog),
    ]
    found = {unit.key: unit for unit in units}
    later = (*_marked(catalog, found), *_view_defaults(catalog, found), *_typed(catalog, found))
    found |= {unit.key: unit for unit in later}
    return found | {unit.key: unit for unit in _said(catalog, found)}


def _lenient(catalog: Catalog) -> dict[ObjectKey, str]:
    """Return how columns refuse NULL that don't do it in every row, or not for tables that inherit."""
    return {
        ObjectKey(HOW, key.identity): found["not null"]
        for key, found in catalog.annotations.items()
        if "not null" in found
    }


def _schemas(catalog: Catalog) -> Iterator[Unit]:
    for name in catalog.schemas:
        quoted = quote_ident(name)
        yield Unit(
            key=ObjectKey("schema", quoted),
            form=(),
            create=(f"create schema {quoted}", *([STANDARD] if name == "public" else [])),
            drop=(f"drop schema {quoted}",),
        )


def _types(catalog: Catalog, names: Mapping[ObjectKey, str]) -> Iterator[Unit]:
    for name, type_ in catalog.types.items():
        is_domain = type_.kind == "domain"
        keys = {part: ObjectKey(DOMAIN_CHECK, f"{part} of {name}") for part in type_.parts}
        own = {part: names[key] for part, key in keys.items() if key in names} if is_domain else {}
        yield Unit(
            key=ObjectKey("type", str(name)),
            form=(type_.kind, tuple(map(restored, type_.parts)), tuple(own.values())),
            create=domains.made(type_, own) if is_domain else (making.user_type(type_),),
            drop=(f"drop {'domain' if is_domain else 'type'} {name}",),
            needs=frozenset({schema_of(name)}),
            thing=type_,
            names=own,
        )


def _sequences(catalog: Catalog) -> Iterator[Unit]:
    for name, sequence in catalog.sequences.items():
        if sequence.is_identity:
            continue
        key = ObjectKey("sequence", str(name))
        yield Unit(
            key=key,
            form=(making.sequence_options(sequence), sequence.persistence),
            create=(f"create {making.unlogged(sequence)}sequence {name} {making.sequence_options(sequence)}",),
            drop=(f"drop sequence {name}",),
            whole=column_key(sequence.owner) if sequence.owner else None,
            needs=frozenset({schema_of(name)}),
            thing=sequence,
        )
        if sequence.owner:
            yield Unit(
                key=ObjectKey("sequence owner", str(name)),
                form=sequence.owner,
                create=(f"alter sequence {name} owned by {sequence.owner}",),
                drop=(f"alter sequence {name} owned by none",),
                whole=key,
                needs=frozenset({key, column_key(sequence.owner)}),
            )


def _view(view: View) -> Iterator[Unit]:
    key = ObjectKey(view.kind, str(view.name))
    yield Unit(
        key=key,
        form=view.definition,
        create=(f"create {view.kind} {view.name} as {view.definition.rstrip(';')}",),
        drop=(f"drop {view.kind} {view.name}",),
        needs=frozenset({schema_of(view.name)}),
        thing=view,
    )
    yield from index_units(view, key)


def _objects(catalog: Catalog) -> Iterator[Unit]:
    for key, found in catalog.objects.items():
        if key.kind == "foreign table source":
            continue
        if is_clone(found):
            yield from clones.cloned(catalog, found)
            continue
        yield Unit(
            key=key,
            form=tuple(sorted(found.parts.items())),
            create=making.defined_object(found),
            drop=making.dropped_object(found),
            whole=relation_key(catalog, found.table) if found.table else None,
            thing=found,
        )


MARKS = {"clustered by": "set without cluster", REPLICA_IDENTITY: "replica identity default"}
"""What is said of a table by the name of an index, which it goes with, and what takes it back."""


def _marked(catalog: Catalog, units: Mapping[ObjectKey, Unit]) -> Iterator[Unit]:
    """Yield the marks of tables: by which index they are clustered, and what identifies their rows to replicas."""
    constraints = _indexes_of_constraints(catalog)
    for key, found in catalog.annotations.items():
        for mark, taken_back in MARKS.items():
            if mark not in found or key not in units:
                continue
            index = ObjectKey("index", found[mark])
            of = constraints.get(index, index)
            alter = f"alter {key.kind} {key.identity}"
            yield Unit(
                key=ObjectKey(mark, key.identity),
                form=found[mark],
                create=(f"{alter} {_marking(mark, found[mark])}",),
                drop=(f"{alter} {taken_back}",),
                whole=of if of in units else key,
                needs=frozenset({of} if of in units else {key, *_given_indexes(catalog, key, units)}),
            )


def _given_indexes(catalog: Catalog, table: ObjectKey, units: Mapping[ObjectKey, Unit]) -> Iterator[ObjectKey]:
    """Yield what gives a partition its indexes: that it is one, and what its parents have."""
    names = (name for name in catalog.tables if str(name) == table.identity)
    parents = {str(parent) for name in names for parent in clones.ancestors(catalog, name)}
    yield ObjectKey(PARTITION, table.identity)
    for unit in units.values():
        if isinstance(unit.thing, Constraint | Index) and unit.whole and unit.whole.identity in parents:
            yield unit.key


def _marking(mark: str, value: str) -> str:
    name = value.removeprefix(relation_of(value)).removeprefix(".")
    if mark == "clustered by":
        return f"cluster on {name}"
    return f"replica identity {value if value in {'full', 'nothing'} else f'using index {name}'}"


def _typed(catalog: Catalog, units: Mapping[ObjectKey, Unit]) -> Iterator[Unit]:
    """Yield that tables follow a type: they let go of it while it changes, or a column of theirs."""
    for key, found in catalog.annotations.items():
        if OF_TYPE in found and key in units:
            columns = (each.key for each in units.values() if each.whole == key and each.key.kind == "table column")
            yield Unit(
                key=ObjectKey(OF_TYPE, key.identity),
                form=found[OF_TYPE],
                create=(f"alter table {key.identity} of {found[OF_TYPE]}",),
                drop=(f"alter table {key.identity} not of",),
                whole=key,
                needs=frozenset({key, ObjectKey("type", found[OF_TYPE]), *columns}),
            )


VIEW_COLUMNS = frozenset({"view column", "materialized view column"})


def _view_defaults(catalog: Catalog, units: Mapping[ObjectKey, Unit]) -> Iterator[Unit]:
    for key, found in catalog.annotations.items():
        relation, column = relation_and_column(key.identity)
        view = ObjectKey("view", relation)
        if key.kind == "view column" and "default" in found and view in units:
            alter = f"alter view {relation} alter column {column}"
            yield Unit(
                key=ObjectKey(DEFAULT, f"for {key.identity}"),
                form=found["default"],
                create=(f"{alter} set default {found['default']}",),
                drop=(f"{alter} drop default",),
                whole=view,
                needs=frozenset({view}),
            )


def _said(catalog: Catalog, units: Mapping[ObjectKey, Unit]) -> Iterator[Unit]:
    numbers = _numbers(catalog)
    behind = {**_indexes_of_constraints(catalog), **numbers}
    for key, found in catalog.annotations.items():
        subject = behind.get(key, key)
        beside = {*MARKS, OF_TYPE, "default", "declared", "not null", *(["owner"] if key in numbers else [])}
        said = {part: each for part, each in found.items() if part not in beside}
        if key.kind in VIEW_COLUMNS:
            subject = ObjectKey(key.kind.removesuffix(" column"), relation_of(key.identity))
        if key.kind == "composite type column":
            subject = ObjectKey("type", relation_of(key.identity))
        if key.kind == "default acl" and (schema := IN_SCHEMA.search(key.identity)):
            subject = ObjectKey("schema", schema[1])
        if key.kind == DOMAIN_CHECK:
            subject = ObjectKey("type", key.identity.rpartition(" on ")[2])
        if subject in units or key.kind == "default acl":
            yield Unit(
                key=ObjectKey(f"{SAID}{key.kind}", key.identity),
                form=tuple(sorted(said.items())),
                create=(),
                whole=_speaks_of(catalog, subject, units),
                needs=frozenset({subject}),
                thing=said,
            )


def _speaks_of(catalog: Catalog, subject: ObjectKey, units: Mapping[ObjectKey, Unit]) -> ObjectKey | None:
    """Return what takes along what is said of it: a trigger that a partition was given stays with the partition."""
    if subject not in units:
        return None
    found = catalog.objects.get(subject)
    return units[subject].whole if found and is_clone(found) else subject


def _numbers(catalog: Catalog) -> dict[ObjectKey, ObjectKey]:
    """Return the columns whose identities the sequences number."""
    return {
        ObjectKey("sequence", str(name)): column_key(sequence.owner)
        for name, sequence in catalog.sequences.items()
        if sequence.is_identity and sequence.owner
    }


def _indexes_of_constraints(catalog: Catalog) -> dict[ObjectKey, ObjectKey]:
    return {
        ObjectKey("index", str(QualifiedName(table.name.schema, constraint.name))): ObjectKey(
            "table constraint", f"{quote_ident(constraint.name)} on {table.name}"
        )
        for table in catalog.tables.values()
        for constraint in table.constraints
        if constraint.kind in {"primary key", "unique", "exclusion"}
    }
