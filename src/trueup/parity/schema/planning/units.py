"""A structure cut into the units that statements make and drop one at a time. Does no I/O."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass

from trueup.parity.schema.model import Catalog, Column, ObjectKey, Sequence, Table, View
from trueup.parity.schema.names import ColumnName, QualifiedName, quote_ident
from trueup.parity.schema.planning import making


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


def cut(catalog: Catalog) -> dict[ObjectKey, Unit]:
    """Return the units of a structure by their keys."""
    units = [
        *_schemas(catalog),
        *_types(catalog),
        *_sequences(catalog),
        *(unit for table in catalog.tables.values() for unit in _table(catalog, table)),
        *(unit for view in catalog.views.values() for unit in _view(view)),
        *_objects(catalog),
    ]
    found = {unit.key: unit for unit in units}
    return found | {unit.key: unit for unit in _said(catalog, found)}


def _schemas(catalog: Catalog) -> Iterator[Unit]:
    for name in catalog.schemas:
        quoted = quote_ident(name)
        yield Unit(
            key=ObjectKey("schema", quoted),
            form=(),
            create=(f"create schema {quoted}",),
            drop=(f"drop schema {quoted}",),
        )


def _types(catalog: Catalog) -> Iterator[Unit]:
    for name, type_ in catalog.types.items():
        word = "domain" if type_.kind == "domain" else "type"
        yield Unit(
            key=ObjectKey("type", str(name)),
            form=(type_.kind, type_.parts),
            create=(making.user_type(type_),),
            drop=(f"drop {word} {name}",),
            needs=frozenset({_schema_of(name)}),
            thing=type_,
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


def _table(catalog: Catalog, table: Table) -> Iterator[Unit]:
    key = ObjectKey("foreign table" if table.kind == "foreign table" else "table", str(table.name))
    numbers = {
        s.owner.column: s
        for s in catalog.sequences.values()
        if s.is_identity and s.owner and s.owner.relation == table.name
    }
    parents = frozenset(ObjectKey("table", str(parent)) for parent in table.parents)
    inherited = _inherited(catalog, table)
    source = catalog.objects.get(ObjectKey("foreign table source", str(table.name)))
    reach = tuple(sorted(source.parts.items())) if source else ()
    yield Unit(
        key=key,
        form=(reach, table.kind, table.partition_key, table.partition_bound, table.parents, table.persistence),
        create=making.table(table, numbers, inherited, source),
        drop=(f"drop {key.kind} {table.name}",),
        needs=parents | {_schema_of(table.name)},
        thing=(table, reach),
    )
    for column in table.columns.values():
        yield from _column(table, key, column, numbers.get(column.name), is_inherited=column.name in inherited)
    for constraint in table.constraints:
        name = quote_ident(constraint.name)
        yield Unit(
            key=ObjectKey("table constraint", f"{name} on {table.name}"),
            form=(constraint.definition, constraint.valid),
            create=(f"alter table {table.name} add constraint {name} {constraint.definition}",),
            drop=(f"alter table {table.name} drop constraint {name}",),
            whole=key,
            needs=frozenset({key}),
            thing=constraint,
        )
    yield from _indexes(table, key)
    yield from _row_security(table, key)


def _inherited(catalog: Catalog, table: Table) -> frozenset[str]:
    if table.partition_bound:
        return frozenset()
    found = (catalog.tables[parent].columns.keys() for parent in table.parents if parent in catalog.tables)
    return frozenset().union(*found) & table.columns.keys()


def _column(
    table: Table, whole: ObjectKey, column: Column, numbers: Sequence | None, *, is_inherited: bool
) -> Iterator[Unit]:
    full = ColumnName(*table.name, column.name)
    key = _column_key(full, whole.kind)
    name = quote_ident(column.name)
    yield Unit(
        key=key,
        form=(column.type, column.collation, column.nullable, column.generated, column.identity,
              making.sequence_options(numbers) if numbers else None),
        create=(f"alter table {table.name} add column {making.column(column, numbers)}",),
        drop=() if is_inherited else (f"alter table {table.name} drop column {name}",),
        whole=whole,
        made_with_whole=True,
        needs=frozenset({whole}),
        thing=(column, numbers),
    )  # fmt: skip
    if column.default is not None:
        alter = f"alter table only {table.name} alter column {name}"
        yield Unit(
            key=ObjectKey("default value", f"for {full}"),
            form=column.default,
            create=(f"{alter} set default {column.default}",),
            drop=(f"{alter} drop default",),
            whole=key,
            needs=frozenset({key}),
        )


def _indexes(relation: Table | View, whole: ObjectKey) -> Iterator[Unit]:
    for index in relation.indexes:
        name = QualifiedName(relation.name.schema, index.name)
        yield Unit(
            key=ObjectKey("index", str(name)),
            form=(index.definition, index.valid),
            create=(making.index(index),),
            drop=(f"drop index {name}",),
            whole=whole,
            needs=frozenset({whole}),
            thing=index,
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
    behind = _indexes_of_constraints(catalog)
    for key, said in catalog.annotations.items():
        subject = behind.get(key, key)
        if subject in units or key.kind == "default acl":
            yield Unit(
                key=ObjectKey(f"what is said of {key.kind}", key.identity),
                form=tuple(sorted(said.items())),
                create=(),
                whole=subject if subject in units else None,
                needs=frozenset({subject}),
                thing=said,
            )


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
