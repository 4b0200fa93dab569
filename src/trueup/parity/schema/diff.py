"""How the structures of two databases differ. Does no I/O."""

from collections.abc import Collection, Iterator
from itertools import chain
from typing import NamedTuple

from trueup.parity.schema.annotations import annotation_differences
from trueup.parity.schema.columns import column_differences, extra_column, missing_column
from trueup.parity.schema.constraints import constraint_differences
from trueup.parity.schema.difference import Difference, Effect, difference, ordered
from trueup.parity.schema.expressions import normal
from trueup.parity.schema.indexes import index_differences
from trueup.parity.schema.model import Catalog, Table, View
from trueup.parity.schema.names import ColumnName, QualifiedName, quote_ident
from trueup.parity.schema.objects import object_differences
from trueup.parity.schema.renames import with_hints
from trueup.parity.schema.sequences import owned_sequences, sequence_differences
from trueup.parity.schema.types import type_differences
from trueup.report.model import Severity

Relation = Table | View


class Attribute(NamedTuple):
    """Is a property of a table that is compared as it is, and what it does when it differs."""

    change: str
    field: str
    effect: Effect


ATTRIBUTES = (
    Attribute("persistence", "persistence", Effect(
        Severity.LOSSY, "An unlogged table is empty after a crash, and replicas don't have it.",
        "set the table logged, or unlogged, as in the source")),
    Attribute("partition key", "partition_key", Effect(
        Severity.BREAKING, "Rows go to other partitions or find none (23514).", "create the table again")),
    Attribute("partition bound", "partition_bound", Effect(
        Severity.BREAKING, "Rows that the source's partition takes go elsewhere or are refused (23514).",
        "detach the partition and attach it with the source's bound")),
    Attribute("inheritance", "parents", Effect(
        Severity.BREAKING, "Queries of the parent see other rows.",
        "let it inherit from, or attach it to, what it has in the source")),
    Attribute("row security", "row_security", Effect(
        Severity.BEHAVIOURAL, "Roles see and write other rows: policies are in force on one side only.",
        "enable, or disable, row level security as in the source")),
    Attribute("forced row security", "row_security_forced", Effect(
        Severity.BEHAVIOURAL, "The owner is held by the policies on one side only.",
        "force row level security, or not, as in the source")),
)  # fmt: skip


def diff(source: Catalog, target: Catalog) -> tuple[Difference, ...]:
    """Return how the target differs from the source, worst first; nothing for two empty databases."""
    found = chain(
        _schemas(source, target),
        type_differences(source.types, target.types),
        _relations(source, target),
        sequence_differences(source, target),
        object_differences(source, target),
        annotation_differences(source, target),
    )
    return ordered(with_hints(found, source, target))


def reordered(source: Catalog, target: Catalog) -> tuple[QualifiedName, ...]:
    """Return the tables whose columns stand in another order, apart from columns that only one side has.

    That is no difference: a column is known by its name, and no statement moves it.
    """
    return tuple(
        name
        for name in sorted(source.tables.keys() & target.tables.keys())
        if _order(source.tables[name], target.tables[name]) != _order(target.tables[name], source.tables[name])
    )


def _order(table: Table, other: Table) -> list[str]:
    return [name for name in table.columns if name in other.columns]


def _schemas(source: Catalog, target: Catalog) -> Iterator[Difference]:
    for name in source.schemas - target.schemas:
        effect = Effect(Severity.BREAKING, "Nothing of the schema is there.", f"create schema {quote_ident(name)}")
        yield difference("schema", quote_ident(name), "missing", ("schema", None), effect)
    for name in target.schemas - source.schemas:
        effect = Effect(Severity.COSMETIC, "Nothing of the source uses it.", f"drop schema {quote_ident(name)}")
        yield difference("schema", quote_ident(name), "extra", (None, "schema"), effect)


def _relations(source: Catalog, target: Catalog) -> Iterator[Difference]:
    mine: dict[QualifiedName, Relation] = {**source.tables, **source.views}
    theirs: dict[QualifiedName, Relation] = {**target.tables, **target.views}
    for name in mine.keys() - theirs.keys():
        yield _missing(mine[name])
    for name in theirs.keys() - mine.keys():
        yield _extra(theirs[name])
    own_numbers = _own_numbers(source, target)
    for name in mine.keys() & theirs.keys():
        for found in _relation(mine[name], theirs[name]):
            if (found.object, found.change) not in own_numbers:
                yield found


def _own_numbers(source: Catalog, target: Catalog) -> frozenset[tuple[str, str]]:
    """Return the defaults that differ only in the name of the sequence that their column owns on either side."""
    mine, theirs = owned_sequences(source), owned_sequences(target)
    return frozenset(
        (str(column), "default")
        for column in mine.keys() & theirs.keys()
        if not (mine[column].is_identity or theirs[column].is_identity)
        and _calls(source, column, mine[column].name)
        and _calls(target, column, theirs[column].name)
    )


def _calls(catalog: Catalog, column: ColumnName, sequence: QualifiedName) -> bool:
    literal = str(sequence).replace("'", "''")
    found = catalog.column(column)
    return found is not None and found.default == f"nextval('{literal}'::regclass)"


def _missing(relation: Relation) -> Difference:
    effect = Effect(
        Severity.BREAKING,
        f"Statements that name the {relation.kind} fail (42P01)"
        + (", and its data is not there." if isinstance(relation, Table) else "."),
        f"create the {relation.kind} with its constraints and indexes, and copy its rows"
        if isinstance(relation, Table)
        else f"create {relation.kind} {relation.name} as in the source",
    )
    return difference(_word(relation), relation.name, "missing", (relation.kind, None), effect)


def _extra(relation: Relation) -> Difference:
    effect = (
        Effect(
            Severity.BEHAVIOURAL,
            "Its rows are on one side only; a renamed table shows as one missing and one extra.",
            f"drop table {relation.name}, or rename it",
        )
        if isinstance(relation, Table)
        else Effect(Severity.COSMETIC, "Nothing of the source uses it.", f"drop {relation.kind} {relation.name}")
    )
    return difference(_word(relation), relation.name, "extra", (None, relation.kind), effect)


def _relation(mine: Relation, theirs: Relation) -> Iterator[Difference]:
    if mine.kind != theirs.kind:
        yield difference(_word(mine), mine.name, "kind", (mine.kind, theirs.kind), _kind(mine, theirs))
    if isinstance(mine, Table) and isinstance(theirs, Table):
        yield from _tables(mine, theirs)
    elif isinstance(mine, View) and isinstance(theirs, View):
        yield from _views(mine, theirs)


def _kind(mine: Relation, theirs: Relation) -> Effect:
    remedy = f"create {mine.name} again as a {mine.kind}"
    if isinstance(mine, View) and isinstance(theirs, View):
        return Effect(Severity.BEHAVIOURAL, "A materialized view shows the rows of its last refresh.", remedy)
    return Effect(Severity.BREAKING, f"Statements written for a {mine.kind} fail on a {theirs.kind}.", remedy)


def _views(mine: View, theirs: View) -> Iterator[Difference]:
    if normal(mine.definition) != normal(theirs.definition):
        effect = Effect(
            Severity.BEHAVIOURAL,
            "The same query returns other rows or columns.",
            f"create {mine.name} again as in the source",
        )
        yield difference("view", mine.name, "definition", (mine.definition, theirs.definition), effect)
    yield from index_differences(mine.name, mine.indexes, theirs.indexes)


def _tables(mine: Table, theirs: Table) -> Iterator[Difference]:
    for attribute in ATTRIBUTES:
        values = getattr(mine, attribute.field), getattr(theirs, attribute.field)
        if values[0] != values[1] and (mine.kind == theirs.kind or attribute.field != "partition_key"):
            words = (_spelled(values[0]), _spelled(values[1]))
            yield difference("table", mine.name, attribute.change, words, attribute.effect)
    shared = mine.columns.keys() & theirs.columns.keys()
    retyped = {name for name in shared if mine.columns[name].type != theirs.columns[name].type}
    yield from _columns(mine, theirs, retyped)
    yield from constraint_differences(mine, theirs, retyped=retyped)


def _columns(mine: Table, theirs: Table, retyped: Collection[str]) -> Iterator[Difference]:
    for name in mine.columns.keys() | theirs.columns.keys():
        full = ColumnName(*mine.name, name)
        if name in mine.columns and name in theirs.columns:
            yield from column_differences(full, mine.columns[name], theirs.columns[name], retyped=retyped)
        elif name in mine.columns:
            yield missing_column(full, mine.columns[name])
        else:
            yield extra_column(full, theirs.columns[name])


def _spelled(value: object) -> str | None:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or None
    return None if value is None else str(value)


def _word(relation: Relation) -> str:
    return "table" if isinstance(relation, Table) else "view"
