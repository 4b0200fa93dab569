"""How what is said of objects beside their definition differs: owners, grants, comments, storage."""

from collections import Counter
from collections.abc import Iterator, Mapping

from trueup.parity.schema.difference import Difference, Effect, difference
from trueup.parity.schema.model import Annotations, Catalog, ObjectKey, Table, View
from trueup.parity.schema.names import ColumnName, QualifiedName, quote_ident, relation_and_column
from trueup.parity.schema.objects import is_clone
from trueup.parity.schema.sequences import owned_sequences
from trueup.report.model import Severity

EFFECTS: Mapping[str, Effect] = {
    "comment": Effect(Severity.COSMETIC, "Only what people read about it differs."),
    "replica identity": Effect(Severity.BEHAVIOURAL, "Replicas may not find the rows that are updated or deleted."),
    "access method": Effect(Severity.BEHAVIOURAL, "Rows are kept in another way, with other costs and limits."),
    "of type": Effect(Severity.COSMETIC, "Its columns follow a type on one side only."),
    "state": Effect(Severity.BREAKING, "Reading a materialized view that was never filled fails (55000)."),
    "view options": Effect(
        Severity.BEHAVIOURAL, "It lets other roles see other rows, or other rows be written through it."
    ),
    "options": Effect(Severity.COSMETIC, "Queries may be planned otherwise."),
    "statistics target": Effect(Severity.COSMETIC, "Queries may be planned otherwise."),
    "not null": Effect(
        Severity.BEHAVIOURAL, "NULL may be there in spite of NOT NULL: in older rows, or in tables that inherit."
    ),
    "declared": Effect(Severity.COSMETIC, "It stays, or goes, when the table inherits no more."),
    "default": Effect(Severity.BEHAVIOURAL, "Rows written through the view get another value."),
    "statistics targets": Effect(Severity.COSMETIC, "Queries may be planned otherwise."),
    "foreign options": Effect(Severity.BEHAVIOURAL, "The column is read from somewhere else."),
}
STORAGE = Effect(Severity.COSMETIC, "Only space and time differ.")
LABEL = Effect(Severity.BEHAVIOURAL, "A security provider may allow or hide something else.")
GRANT_LOST = Effect(Severity.BREAKING, "Statements of the role fail (42501).")
GRANT_ADDED = Effect(Severity.BEHAVIOURAL, "The role may do more than in the source.")
DEFAULTS = Effect(Severity.BEHAVIOURAL, "What is created from now on gets other grants.")


def annotation_differences(source: Catalog, target: Catalog) -> Iterator[Difference]:
    """Yield how what both sides say of the same objects differs; one owner in place of another is one difference."""
    owners: Counter[tuple[str, str]] = Counter()
    known = _parts(source), _parts(target)
    called = _called_otherwise(source, target)
    said = {called.get(key, key): each for key, each in target.annotations.items()}
    for key in source.annotations.keys() | said.keys():
        mine, theirs = source.annotations.get(key, {}), said.get(key, {})
        if not _is_on_both(key, (mine, theirs), known):
            continue
        for part in (mine.keys() | theirs.keys()) - _given(key, mine, theirs):
            sides = mine.get(part), theirs.get(part)
            if part == "owner" and sides[0] and sides[1]:
                owners[sides[0], sides[1]] += 1
            elif sides[0] != sides[1] and not _is_explained(key, part, (source, target)):
                yield difference(key.kind, key.identity, part, sides, _effect(key, part, sides))
    yield from _owners(owners)


def _is_on_both(
    key: ObjectKey, said: tuple[Annotations, Annotations], known: tuple[frozenset[str], frozenset[str]]
) -> bool:
    """Say whether both sides have the object: if not, its absence is a difference of its own."""
    if any("owner" in annotations for annotations in said):
        return all("owner" in annotations for annotations in said)
    return (key.identity in known[0]) == (key.identity in known[1])


def _given(key: ObjectKey, mine: Annotations, theirs: Annotations) -> frozenset[str]:
    """Return what default privileges say on one side only because they say anything: the owner has them anyway."""
    return frozenset() if (mine and theirs) or key.kind != "default acl" else frozenset({"grants to its owner"})


def _is_explained(key: ObjectKey, part: str, sides: tuple[Catalog, Catalog]) -> bool:
    """Say whether another difference tells of this one: that a column may be NULL, or that its table has no parent."""
    if part == "not null":
        return any(_is_nullable(key, side) for side in sides)
    return part == "declared" and not all(_is_inherited(key, side) for side in sides)


def _is_nullable(key: ObjectKey, catalog: Catalog) -> bool:
    """Say whether it is a column that may be NULL."""
    relation, column = relation_and_column(key.identity)
    tables = (table for name, table in catalog.tables.items() if str(name) == relation)
    return any(each.nullable for table in tables for each in table.columns.values() if quote_ident(each.name) == column)


def _is_inherited(key: ObjectKey, catalog: Catalog) -> bool:
    """Say whether it is a column that a parent has as well."""
    relation, column = relation_and_column(key.identity)
    tables = (table for name, table in catalog.tables.items() if str(name) == relation)
    parents = (catalog.tables[parent] for table in tables for parent in table.parents if parent in catalog.tables)
    return any(quote_ident(name) == column for parent in parents for name in parent.columns)


def _called_otherwise(source: Catalog, target: Catalog) -> dict[ObjectKey, ObjectKey]:
    """Return what the source calls the sequences of columns that the target calls otherwise."""
    mine, theirs = owned_sequences(source), owned_sequences(target)
    return {
        ObjectKey("sequence", str(theirs[column].name)): ObjectKey("sequence", str(mine[column].name))
        for column in mine.keys() & theirs.keys()
        if mine[column].name not in target.sequences
    }


def _parts(catalog: Catalog) -> frozenset[str]:
    """Return the identities of what has no owner of its own."""
    found = {identity for (_, identity), each in catalog.objects.items() if not is_clone(each)}
    for table in catalog.tables.values():
        found |= {str(ColumnName(*table.name, column)) for column in table.columns}
        found |= {f"{quote_ident(constraint.name)} on {table.name}" for constraint in table.constraints}
        found |= {str(QualifiedName(table.name.schema, own.name)) for own in table.constraints}
    relations: list[Table | View] = [*catalog.tables.values(), *catalog.views.values()]
    for relation in relations:
        found |= {str(QualifiedName(relation.name.schema, own.name)) for own in relation.indexes}
    return frozenset(found)


def _effect(key: ObjectKey, part: str, sides: tuple[str | None, str | None]) -> Effect:
    if key.kind == "default acl":
        return DEFAULTS
    if part.startswith("security label"):
        return LABEL
    if part.startswith("grants "):
        return GRANT_LOST if _privileges(sides[0]) - _privileges(sides[1]) else GRANT_ADDED
    return EFFECTS.get(part, STORAGE)


def _privileges(grants: str | None) -> set[str]:
    return set(grants.split(", ")) if grants else set()


def _owners(pairs: Counter[tuple[str, str]]) -> Iterator[Difference]:
    for (mine, theirs), amount in pairs.items():
        if mine != theirs:
            objects = "1 object" if amount == 1 else f"{amount} objects"
            meaning = f"{objects} of {mine} belong to {theirs} here: who may alter and drop them differs."
            effect = Effect(Severity.COSMETIC, meaning, f"reassign owned by {theirs} to {mine}")
            yield difference("owner", mine, "role", (mine, theirs), effect)
