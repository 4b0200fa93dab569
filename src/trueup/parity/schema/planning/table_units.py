"""A table cut into units: itself with its columns, and what is made after it. Does no I/O."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import cast

from trueup.parity.schema.expressions import restored
from trueup.parity.schema.model import Catalog, Column, ObjectKey, Sequence, Table, View
from trueup.parity.schema.names import ColumnName, QualifiedName, quote_ident
from trueup.parity.schema.planning import making
from trueup.parity.schema.planning.units import DEFAULT, PARTITION, Unit, column_key, relation_key, schema_of

HOW = "how not null"
"""How a NOT NULL constraint, which has a name, holds: `not valid`, `no inherit`."""


def table_units(catalog: Catalog, table: Table, names: Mapping[ObjectKey, str]) -> Iterator[Unit]:
    """Yield the units of a table."""
    key = relation_key(catalog, table.name)
    given = _given(catalog, table)
    columns = _columns(catalog, table, key, names, given)
    yield _itself(catalog, table, key, [each for each in columns if _is_declared(catalog, table, each)])
    yield from _partition(catalog, table, key)
    yield from columns
    for name, column in table.columns.items():
        if column.default is not None:
            yield _default(table, column, key.kind, given[name])
    yield from _constraints(table, key)
    yield from index_units(table, key)
    yield from _row_security(table, key)


def _is_declared(catalog: Catalog, table: Table, column: Unit) -> bool:
    """Say whether a table declares a column itself, be it as well as a parent of its."""
    is_own = bool(table.partition_bound) or not column.given_by
    return is_own or "declared" in catalog.annotations.get(column.key, {})


def _itself(catalog: Catalog, table: Table, key: ObjectKey, own: list[Unit]) -> Unit:
    """Return the table with those of its columns that it declares itself."""
    source = catalog.objects.get(ObjectKey("foreign table source", str(table.name)))
    reach = tuple(sorted(source.parts.items())) if source else ()
    is_referred = _is_referred(catalog, table)
    parents = () if table.partition_bound else table.parents
    if source and making.is_hidden(source):
        create: tuple[str, ...] = ()
    elif _is_made_of_its_parent(catalog, table):
        create = (making.partition(table), *_without_defaults(catalog, table))
    else:
        columns = [declared(each) for each in own]
        later = [sql for each in own for sql in lenient(each)]
        stricter = _stricter(catalog, table)
        create = (making.table(table, columns, source), *later, *stricter, *_without_defaults(catalog, table))
    return Unit(
        key=key,
        form=(reach, table.kind, table.partition_key, parents, table.persistence),
        create=create,
        drop=(*_leaving(table, is_referred=is_referred), f"drop {key.kind} {table.name}"),
        is_referred=is_referred,
        needs=frozenset(relation_key(catalog, parent) for parent in table.parents) | {schema_of(table.name)},
        thing=(table, reach),
    )


def _stricter(catalog: Catalog, table: Table) -> Iterator[str]:
    """Yield what makes inherited columns refuse NULL that the parents' take."""
    parents = [catalog.tables[name] for name in table.parents if name in catalog.tables and not table.partition_bound]
    for name, column in table.columns.items():
        given = [parent.columns[name] for parent in parents if name in parent.columns]
        if given and not column.nullable and all(each.nullable for each in given):
            yield f"alter table {table.name} alter column {quote_ident(name)} set not null"


def _without_defaults(catalog: Catalog, table: Table) -> Iterator[str]:
    """Yield what takes away the defaults that a new table gets from its parents, and hasn't."""
    parents = [catalog.tables[name] for name in table.parents if name in catalog.tables]
    for name, column in table.columns.items():
        given = [parent.columns[name].default for parent in parents if name in parent.columns]
        if column.default is None and any(given):
            yield f"alter table only {table.name} alter column {quote_ident(name)} drop default"


def _given(catalog: Catalog, table: Table) -> dict[str, frozenset[ObjectKey]]:
    """Return for each column those of the parents that pass it on."""
    parents = [catalog.tables[parent] for parent in table.parents if parent in catalog.tables]
    return {
        name: frozenset(
            column_key(ColumnName(*parent.name, name), relation_key(catalog, parent.name).kind)
            for parent in parents
            if name in parent.columns
        )
        for name in table.columns
    }


def _is_made_of_its_parent(catalog: Catalog, table: Table) -> bool:
    """Say whether a partition needs the checks of its parent before it is attached, which only the server can copy."""
    parent = catalog.tables.get(table.parents[0]) if table.partition_bound and table.kind != "foreign table" else None
    if parent is None or not any(each.kind == "check" for each in parent.constraints):
        return False
    return all(column.nullable == parent.columns[name].nullable for name, column in table.columns.items())


def _leaving(table: Table, *, is_referred: bool) -> Iterator[str]:
    """Yield what frees a partition of the foreign keys that refer to its parent."""
    if is_referred:
        yield f"alter table {table.parents[0]} detach partition {table.name}"


def _is_referred(catalog: Catalog, table: Table) -> bool:
    """Say whether foreign keys refer to a table whose partition this one is."""
    parents = ancestors(catalog, table) if table.partition_bound else []
    constraints = (each for other in catalog.tables.values() for each in other.constraints)
    return any(f"REFERENCES {parent}(" in each.definition for each in constraints for parent in parents)


def ancestors(catalog: Catalog, table: Table) -> list[QualifiedName]:
    """Return the parents of a table, and theirs."""
    known = [catalog.tables[name] for name in table.parents if name in catalog.tables]
    return [*table.parents, *(each for parent in known for each in ancestors(catalog, parent))]


def _partition(catalog: Catalog, table: Table, key: ObjectKey) -> Iterator[Unit]:
    if table.partition_bound:
        (parent,) = table.parents
        yield Unit(
            key=ObjectKey(PARTITION, str(table.name)),
            form=(parent, table.partition_bound),
            create=(f"alter table {parent} attach partition {table.name} {table.partition_bound}",),
            drop=(f"alter table {parent} detach partition {table.name}",),
            whole=key,
            made_with_whole=_is_made_of_its_parent(catalog, table),
            needs=frozenset({key, relation_key(catalog, parent)}),
            thing=table,
            is_referred=_is_referred(catalog, table),
        )


def declared(unit: Unit, default: str | None = None) -> str:
    """Return a column as it is declared; with the default that its rows get at once where it is added."""
    column, numbers = cast("tuple[Column, Sequence | None]", unit.thing)
    how = unit.names.get(HOW, "")
    declared_column = replace(column, nullable=True) if "not valid" in how else column
    text = making.column(declared_column, numbers, not_null=unit.names.get("own not null"), default=default)
    return f"{text} no inherit" if how == "no inherit" else text


def lenient(unit: Unit) -> Iterator[str]:
    """Yield what makes a new column refuse NULL in rows to come: older ones may have it."""
    how = unit.names.get(HOW, "")
    if "not valid" in how:
        yield refusing_null(unit)


def refusing_null(unit: Unit) -> str:
    """Return the statement that adds the constraint by which a column refuses NULL, as strictly as it does."""
    column, _ = cast("tuple[Column, object]", unit.thing)
    kind, table = unit.whole or ("table", "")
    inherited, valid = (word in unit.names.get(HOW, "") for word in ("no inherit", "not valid"))
    words = [f"alter {kind} {table} add constraint {quote_ident(unit.names['not null'])} not null"]
    words += [quote_ident(column.name), *["no inherit"] * inherited, *["not valid"] * valid]
    return " ".join(words)


def added(unit: Unit, default: str | None = None) -> str:
    """Return the statement that adds a column to a table."""
    kind, table = unit.whole or ("table", "")
    return f"alter {kind} {table} add column {declared(unit, default)}"


def _columns(
    catalog: Catalog,
    table: Table,
    whole: ObjectKey,
    names: Mapping[ObjectKey, str],
    given: Mapping[str, frozenset[ObjectKey]],
) -> list[Unit]:
    numbers = {
        s.owner.column: s
        for s in catalog.sequences.values()
        if s.is_identity and s.owner and s.owner.relation == table.name
    }
    return [
        _column(whole, ColumnName(*table.name, name), (each, numbers.get(name)), names, given[name])
        for name, each in table.columns.items()
    ]


def _column(
    whole: ObjectKey,
    full: ColumnName,
    thing: tuple[Column, Sequence | None],
    names: Mapping[ObjectKey, str],
    given_by: frozenset[ObjectKey],
) -> Unit:
    column, numbers = thing
    key = column_key(full, whole.kind)
    not_null = names.get(ObjectKey("not null", str(full)))
    is_own = not_null is not None and not_null != f"{full.table}_{full.column}_not_null"
    how = names.get(ObjectKey(HOW, str(full))) if not_null else None
    known = {"not null": not_null, "own not null": not_null if is_own or how else None, HOW: how}
    unit = Unit(
        key=key,
        form=(column.type, column.collation, column.nullable, column.generated, column.identity,
              None if given_by else (not_null, how), making.identity_options(numbers) if numbers else None),
        create=(),
        drop=(f"alter {whole.kind} {full.relation} drop column {quote_ident(full.column)}",),
        whole=whole,
        made_with_whole=True,
        needs=frozenset({whole}),
        thing=thing,
        names={kind: name for kind, name in known.items() if name},
        given_by=given_by,
    )  # fmt: skip
    return replace(unit, create=(added(unit), *lenient(unit)))


def _default(table: Table, column: Column, kind: str, given_by: frozenset[ObjectKey]) -> Unit:
    full = ColumnName(*table.name, column.name)
    alter = f"alter table only {table.name} alter column {quote_ident(column.name)}"
    return Unit(
        key=ObjectKey(DEFAULT, f"for {full}"),
        form=column.default,
        create=(f"{alter} set default {column.default}",),
        drop=(f"{alter} drop default",),
        whole=column_key(full, kind),
        needs=frozenset({column_key(full, kind)}),
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


def index_units(relation: Table | View, whole: ObjectKey) -> Iterator[Unit]:
    """Yield the indexes of a table or a materialized view."""
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
