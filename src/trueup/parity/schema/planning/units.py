"""A structure cut into the units that statements make and drop one at a time. Does no I/O."""

import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from trueup.parity.schema.expressions import restored
from trueup.parity.schema.model import Catalog, Column, ObjectKey, Sequence, Table, View
from trueup.parity.schema.names import ColumnName, QualifiedName, quote_ident
from trueup.parity.schema.planning import domains, making

SAID = "what is said of "
DEFAULT = "default value"
PARTITION = "partition"


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
    given_by: frozenset[ObjectKey] = frozenset()
    """The same of its parents, who pass on what is done with it."""


def is_said(key: ObjectKey) -> bool:
    """Say whether a unit is what is said of another one."""
    return key.kind.startswith(SAID)


def cut(catalog: Catalog, names: Mapping[ObjectKey, str]) -> dict[ObjectKey, Unit]:
    """Return the units of a structure by their keys."""
    units = [
        *_schemas(catalog),
        *_types(catalog, names),
        *_sequences(catalog),
        *(unit for table in catalog.tables.values() for unit in _table(catalog, table, names)),
        *(unit for view in catalog.views.values() for unit in _view(view)),
        *_objects(catalog),
    ]
    found = {unit.key: unit for unit in units}
    return found | {unit.key: unit for unit in _said(catalog, found)}


STANDARD = "comment on schema public is 'standard public schema'"


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
        keys = {part: ObjectKey("domain constraint", f"{part} of {name}") for part in type_.parts}
        own = {part: names[key] for part, key in keys.items() if key in names} if is_domain else {}
        yield Unit(
            key=ObjectKey("type", str(name)),
            form=(type_.kind, tuple(map(restored, type_.parts)), tuple(own.values())),
            create=(domains.made(type_, own) if is_domain else making.user_type(type_),),
            drop=(f"drop {'domain' if is_domain else 'type'} {name}",),
            needs=frozenset({_schema_of(name)}),
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
            form=making.sequence_options(sequence),
            create=(f"create sequence {name} {making.sequence_options(sequence)}",),
            drop=(f"drop sequence {name}",),
            whole=_column_key(sequence.owner) if sequence.owner else None,
            needs=frozenset({_schema_of(name)}),
            thing=sequence,
        )
        if sequence.owner:
            yield Unit(
                key=ObjectKey("sequence owner", str(name)),
                form=sequence.owner,
                create=(f"alter sequence {name} owned by {sequence.owner}",),
                drop=(f"alter sequence {name} owned by none",),
                whole=key,
                needs=frozenset({key, _column_key(sequence.owner)}),
            )


def _table(catalog: Catalog, table: Table, names: Mapping[ObjectKey, str]) -> Iterator[Unit]:
    key = _relation_key(catalog, table.name)
    numbers = {
        s.owner.column: s
        for s in catalog.sequences.values()
        if s.is_identity and s.owner and s.owner.relation == table.name
    }
    given = _given(catalog, table)
    columns = [
        _column(key, ColumnName(*table.name, name), (each, numbers.get(name)), names, given[name])
        for name, each in table.columns.items()
    ]
    source = catalog.objects.get(ObjectKey("foreign table source", str(table.name)))
    reach = tuple(sorted(source.parts.items())) if source else ()
    own = table.columns if table.partition_bound else [name for name in table.columns if not given[name]]
    listed = [declared(unit) for unit in columns if cast("tuple[Column, object]", unit.thing)[0].name in own]
    yield Unit(
        key=key,
        form=(
            reach,
            table.kind,
            table.partition_key,
            () if table.partition_bound else table.parents,
            table.persistence,
        ),
        create=() if source and making.is_hidden(source) else (making.table(table, listed, source),),
        drop=(f"drop {key.kind} {table.name}",),
        needs=frozenset(_relation_key(catalog, parent) for parent in table.parents) | {_schema_of(table.name)},
        thing=(table, reach),
    )
    yield from _partition(catalog, table, key)
    yield from columns
    for name, column in table.columns.items():
        if column.default is not None:
            yield _default(table, column, key.kind, given[name])
    yield from _constraints(table, key)
    yield from _indexes(table, key)
    yield from _row_security(table, key)


def _given(catalog: Catalog, table: Table) -> dict[str, frozenset[ObjectKey]]:
    """Return for each column those of the parents that pass it on."""
    parents = [catalog.tables[parent] for parent in table.parents if parent in catalog.tables]
    return {
        name: frozenset(
            _column_key(ColumnName(*parent.name, name), _relation_key(catalog, parent.name).kind)
            for parent in parents
            if name in parent.columns
        )
        for name in table.columns
    }


def _partition(catalog: Catalog, table: Table, key: ObjectKey) -> Iterator[Unit]:
    if table.partition_bound:
        (parent,) = table.parents
        yield Unit(
            key=ObjectKey(PARTITION, str(table.name)),
            form=(parent, table.partition_bound),
            create=(f"alter table {parent} attach partition {table.name} {table.partition_bound}",),
            drop=(f"alter table {parent} detach partition {table.name}",),
            whole=key,
            needs=frozenset({key, _relation_key(catalog, parent)}),
            thing=table,
        )


def declared(unit: Unit, default: str | None = None) -> str:
    """Return a column as it is declared; with the default that its rows get at once where it is added."""
    column, numbers = cast("tuple[Column, Sequence | None]", unit.thing)
    return making.column(column, numbers, not_null=unit.names.get("own not null"), default=default)


def added(unit: Unit, default: str | None = None) -> str:
    """Return the statement that adds a column to a table."""
    kind, table = unit.whole or ("table", "")
    return f"alter {kind} {table} add column {declared(unit, default)}"


def _column(
    whole: ObjectKey,
    full: ColumnName,
    thing: tuple[Column, Sequence | None],
    names: Mapping[ObjectKey, str],
    given_by: frozenset[ObjectKey],
) -> Unit:
    column, numbers = thing
    key = _column_key(full, whole.kind)
    not_null = names.get(ObjectKey("not null", str(full)))
    is_own = not_null is not None and not_null != f"{full.table}_{full.column}_not_null"
    own = {"not null": not_null, **({"own not null": not_null} if is_own else {})} if not_null else {}
    unit = Unit(
        key=key,
        form=(column.type, column.collation, column.nullable, column.generated, column.identity, not_null,
              making.identity_options(numbers) if numbers else None),
        create=(),
        drop=(f"alter {whole.kind} {full.relation} drop column {quote_ident(full.column)}",),
        whole=whole,
        made_with_whole=True,
        needs=frozenset({whole}),
        thing=thing,
        names=own,
        given_by=given_by,
    )  # fmt: skip
    return replace(unit, create=(added(unit),))


def _default(table: Table, column: Column, kind: str, given_by: frozenset[ObjectKey]) -> Unit:
    full = ColumnName(*table.name, column.name)
    alter = f"alter table only {table.name} alter column {quote_ident(column.name)}"
    return Unit(
        key=ObjectKey(DEFAULT, f"for {full}"),
        form=column.default,
        create=(f"{alter} set default {column.default}",),
        drop=(f"{alter} drop default",),
        whole=_column_key(full, kind),
        needs=frozenset({_column_key(full, kind)}),
        given_by=frozenset(ObjectKey(DEFAULT, f"for {giver.identity}") for giver in given_by),
    )


def _constraints(table: Table, whole: ObjectKey) -> Iterator[Unit]:
    for constraint in table.constraints:
        name = quote_ident(constraint.name)
        yield Unit(
            key=ObjectKey("table constraint", f"{name} on {table.name}"),
            form=(restored(constraint.definition), constraint.valid),
            create=(f"alter table {table.name} add constraint {name} {constraint.definition}",)
            if constraint.valid
            else (),
            drop=(f"alter table {table.name} drop constraint {name}",),
            whole=whole,
            needs=frozenset({whole}),
            thing=constraint,
            is_partitioned=table.kind == "partitioned table",
        )


def _indexes(relation: Table | View, whole: ObjectKey) -> Iterator[Unit]:
    for index in relation.indexes:
        name = QualifiedName(relation.name.schema, index.name)
        yield Unit(
            key=ObjectKey("index", str(name)),
            form=(restored(index.definition), index.valid),
            create=(making.index(index),) if index.valid else (),
            drop=(f"drop index {name}",),
            whole=whole,
            needs=frozenset({whole}),
            thing=index,
            is_partitioned=relation.kind == "partitioned table",
        )


def _row_security(table: Table, whole: ObjectKey) -> Iterator[Unit]:
    if table.row_security or table.row_security_forced:
        alter = f"alter table {table.name}"
        on = [f"{alter} enable row level security"] if table.row_security else []
        on += [f"{alter} force row level security"] if table.row_security_forced else []
        yield Unit(
            key=ObjectKey("row security", str(table.name)),
            form=tuple(on),
            create=tuple(on),
            drop=(f"{alter} no force row level security", f"{alter} disable row level security"),
            whole=whole,
            needs=frozenset({whole}),
        )


def _view(view: View) -> Iterator[Unit]:
    key = ObjectKey(view.kind, str(view.name))
    yield Unit(
        key=key,
        form=view.definition,
        create=(f"create {view.kind} {view.name} as {view.definition.rstrip(';')}",),
        drop=(f"drop {view.kind} {view.name}",),
        needs=frozenset({_schema_of(view.name)}),
        thing=view,
    )
    yield from _indexes(view, key)


def _objects(catalog: Catalog) -> Iterator[Unit]:
    for key, found in catalog.objects.items():
        if key.kind == "foreign table source":
            continue
        yield Unit(
            key=key,
            form=tuple(sorted(found.parts.items())),
            create=making.defined_object(found),
            drop=making.dropped_object(found),
            whole=_relation_key(catalog, found.table) if found.table else None,
            thing=found,
        )


def _said(catalog: Catalog, units: Mapping[ObjectKey, Unit]) -> Iterator[Unit]:
    numbers = _numbers(catalog)
    behind = {**_indexes_of_constraints(catalog), **numbers}
    for key, found in catalog.annotations.items():
        subject = behind.get(key, key)
        said = {part: each for part, each in found.items() if part != "owner"} if key in numbers else found
        if key.kind in {"view column", "materialized view column"}:
            subject = ObjectKey(key.kind.removesuffix(" column"), relation_of(key.identity))
        if subject in units or key.kind == "default acl":
            yield Unit(
                key=ObjectKey(f"{SAID}{key.kind}", key.identity),
                form=tuple(sorted(said.items())),
                create=(),
                whole=subject if subject in units else None,
                needs=frozenset({subject}),
                thing=said,
            )


def relation_of(column: str) -> str:
    """Return the relation of a column's full name, whose quotes may hold points."""
    return re.sub(r'\.(?:"(?:[^"]|"")*"|[^".]+)$', "", column)


def _numbers(catalog: Catalog) -> dict[ObjectKey, ObjectKey]:
    """Return the columns whose identities the sequences number."""
    return {
        ObjectKey("sequence", str(name)): _column_key(sequence.owner)
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


def _relation_key(catalog: Catalog, name: QualifiedName) -> ObjectKey:
    if name in catalog.views:
        return ObjectKey(catalog.views[name].kind, str(name))
    is_foreign = name in catalog.tables and catalog.tables[name].kind == "foreign table"
    return ObjectKey("foreign table" if is_foreign else "table", str(name))


def _schema_of(name: QualifiedName) -> ObjectKey:
    return ObjectKey("schema", quote_ident(name.schema))


def _column_key(name: ColumnName, kind: str = "table") -> ObjectKey:
    return ObjectKey(f"{kind} column", str(name))
