"""Constraints, indexes and columns' sequences of other names, which are renamed where they stand. Does no I/O."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from trueup.parity.schema.model import Annotations, Catalog, Constraint, Index, ObjectKey, Table, View
from trueup.parity.schema.names import QualifiedName, quote_ident, quote_literal
from trueup.parity.schema.sequences import owned_sequences

NAMING = frozenset({"replica identity", "clustered by"})
"""What is said of a table by the name of an index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """Is another name for one constraint or index of a relation."""

    relation: QualifiedName
    of: Constraint | Index
    name: str

    @property
    def statement(self) -> str:
        """Return what renames it."""
        if isinstance(self.of, Index):
            return f"alter index {self.index(self.of.name)} rename to {quote_ident(self.name)}"
        return f"alter table {self.relation} rename constraint {quote_ident(self.of.name)} to {quote_ident(self.name)}"

    @property
    def key(self) -> ObjectKey:
        """Return what it is called before."""
        return self.keys(self.of.name)[0]

    @property
    def moves(self) -> tuple[tuple[ObjectKey, ObjectKey], ...]:
        """Return what it is called before and after, and so is what goes by its name."""
        return tuple(zip(self.keys(self.of.name), self.keys(self.name), strict=True))

    def keys(self, name: str) -> tuple[ObjectKey, ...]:
        """Return what it is called under a name; the index behind a constraint has the constraint's."""
        own = (ObjectKey("index", str(self.index(name))),)
        if isinstance(self.of, Index):
            return own
        return (ObjectKey("table constraint", f"{quote_ident(name)} on {self.relation}"), *own)

    def index(self, name: str) -> QualifiedName:
        """Return an index's full name."""
        return QualifiedName(self.relation.schema, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceRename:
    """Is another name for the sequence that a column owns and gets its numbers from: it stays where it is."""

    of: QualifiedName
    name: QualifiedName

    @property
    def statement(self) -> str:
        """Return what renames it."""
        return f"alter sequence {self.of} rename to {quote_ident(self.name.name)}"

    @property
    def key(self) -> ObjectKey:
        """Return what it is called before."""
        return ObjectKey("sequence", str(self.of))

    @property
    def moves(self) -> tuple[tuple[ObjectKey, ObjectKey], ...]:
        """Return what it is called before and after."""
        return tuple(
            (ObjectKey(kind, str(self.of)), ObjectKey(kind, str(self.name))) for kind in ("sequence", "sequence owner")
        )

    def called(self, default: str | None) -> str | None:
        """Return a default as it reads when the sequence has its new name."""
        old, new = (quote_literal(str(name)) for name in (self.of, self.name))
        return default and default.replace(f"nextval({old}::regclass)", f"nextval({new}::regclass)")


AnyRename = Rename | SequenceRename


def renames(have: Catalog, want: Catalog) -> tuple[AnyRename, ...]:
    """Return what has to be renamed in `have`, where the new name is free."""
    found: list[AnyRename] = []
    taken = _names(have)
    for sequence in _sequences(have, want):
        if sequence.name not in taken:
            found.append(sequence)
            taken.add(sequence.name)
    for mine in _relations(have):
        theirs: Table | View | None = want.tables.get(mine.name) or want.views.get(mine.name)
        if theirs is None or theirs.kind != mine.kind:
            continue
        for rename in _of_relation(mine, theirs):
            name = QualifiedName(mine.name.schema, rename.name)
            if name not in taken:
                found.append(rename)
                taken.add(name)
    return tuple(found)


def _sequences(have: Catalog, want: Catalog) -> Iterator[SequenceRename]:
    theirs = owned_sequences(want)
    for column, mine in owned_sequences(have).items():
        other = theirs.get(column, mine)
        is_same = (other.is_identity, other.name.schema) == (mine.is_identity, mine.name.schema)
        if is_same and other.name not in have.sequences and mine.name not in want.sequences:
            yield SequenceRename(of=mine.name, name=other.name)


def _relations(catalog: Catalog) -> tuple[Table | View, ...]:
    found: list[Table | View] = [*catalog.tables.values()]
    return (*found, *catalog.views.values())


def _names(catalog: Catalog) -> set[QualifiedName]:
    """Return every name that an index or constraint can't get, or may not get for safety."""
    relations = _relations(catalog)
    names = {*catalog.tables, *catalog.views, *catalog.sequences, *catalog.types}
    names |= {QualifiedName(each.name.schema, index.name) for each in relations for index in each.indexes}
    return names | {QualifiedName(t.name.schema, each.name) for t in catalog.tables.values() for each in t.constraints}


def _of_relation(mine: Table | View, theirs: Table | View) -> Iterator[Rename]:
    yield from _pairs(mine.name, mine.indexes, theirs.indexes)
    if isinstance(mine, Table) and isinstance(theirs, Table):
        yield from _pairs(mine.name, mine.constraints, theirs.constraints)


def _pairs(
    relation: QualifiedName, mine: tuple[Constraint | Index, ...], theirs: tuple[Constraint | Index, ...]
) -> Iterator[Rename]:
    shared = {each.name for each in mine} & {each.name for each in theirs}
    left = [each for each in theirs if each.name not in shared]
    for each in mine:
        if each.name in shared:
            continue
        alike = [other for other in left if (other.definition, other.valid) == (each.definition, each.valid)]
        if alike:
            left.remove(alike[0])
            yield Rename(relation=relation, of=each, name=alike[0].name)


def renamed(catalog: Catalog, found: tuple[AnyRename, ...]) -> Catalog:
    """Return the structure as it is once all has been renamed."""
    keys = renamed_keys(found)
    parts = tuple(each for each in found if isinstance(each, Rename))
    numbers = tuple(each for each in found if isinstance(each, SequenceRename))
    tables = {name: _renumbered(_table(table, parts), numbers) for name, table in catalog.tables.items()}
    views = {name: _view(view, parts) for name, view in catalog.views.items()}
    said = {keys.get(key, key): _said(said, parts) for key, said in catalog.annotations.items()}
    names = {each.of: each.name for each in numbers}
    sequences = {
        names.get(name, name): replace(sequence, name=names.get(name, name))
        for name, sequence in catalog.sequences.items()
    }
    return replace(
        catalog,
        tables=MappingProxyType(tables),
        views=MappingProxyType(views),
        sequences=MappingProxyType(sequences),
        annotations=MappingProxyType(said),
    )


def renamed_keys(found: tuple[AnyRename, ...]) -> Mapping[ObjectKey, ObjectKey]:
    """Return what each renamed object is called after, by what it is called before."""
    return dict(move for each in found for move in each.moves)


def _renumbered(table: Table, found: tuple[SequenceRename, ...]) -> Table:
    columns = dict(table.columns)
    for each in found:
        columns = {name: replace(column, default=each.called(column.default)) for name, column in columns.items()}
    return replace(table, columns=MappingProxyType(columns))


def _table(table: Table, found: tuple[Rename, ...]) -> Table:
    names = {(type(each.of), each.of.name): each.name for each in found if each.relation == table.name}
    if not names:
        return table
    constraints = (replace(each, name=names.get((Constraint, each.name), each.name)) for each in table.constraints)
    indexes = (replace(each, name=names.get((Index, each.name), each.name)) for each in table.indexes)
    return replace(table, constraints=tuple(constraints), indexes=tuple(indexes))


def _view(view: View, found: tuple[Rename, ...]) -> View:
    names = {each.of.name: each.name for each in found if each.relation == view.name}
    return replace(view, indexes=tuple(replace(each, name=names.get(each.name, each.name)) for each in view.indexes))


def _said(parts: Annotations, found: tuple[Rename, ...]) -> Annotations:
    if not parts.keys() & NAMING:
        return parts
    names = {str(each.index(each.of.name)): str(each.index(each.name)) for each in found}
    return {part: names.get(value, value) if part in NAMING else value for part, value in parts.items()}
