"""What rows of one table point to in another though no foreign key says so, as the configuration does."""

from collections.abc import Iterator, Mapping

from trueup.parity.data.beyond.foreign_keys import ForeignKey
from trueup.parity.schema import Catalog, ColumnName
from trueup.report.model import Finding, left_open
from trueup.settings import Relation
from trueup.verify.subject import Subject


def declared_relations(relations: tuple[Relation, ...], catalog: Catalog) -> Iterator[ForeignKey]:
    """Yield the relations whose columns a database has, named by the column that points."""
    known = columns_by_name(catalog)
    for relation in relations:
        child, parent = known.get(relation.column), known.get(relation.references)
        if child and parent:
            yield ForeignKey(
                child=child.relation,
                parent=parent.relation,
                name=child.column,
                columns=(child.column,),
                parent_columns=(parent.column,),
            )


def unknown_relations(subject: Subject) -> Iterator[Finding]:
    """Yield the relations that are declared and that no side has the columns of."""
    known = [columns_by_name(side.catalog).keys() for side in subject.sides.values()]
    for relation in subject.settings.relations:
        if not any({relation.column, relation.references} <= names for names in known):
            yield left_open(
                "constraints",
                relation.column,
                f"is declared to point to {relation.references}, and no side has both columns",
                remedy="correct it under [[tool.trueup.relations]], each column with its schema and table",
            )


def columns_by_name(catalog: Catalog) -> Mapping[str, ColumnName]:
    """Return all columns by their names, as SQL writes them and plainly."""
    names = [ColumnName(*table.name, column) for table in catalog.tables.values() for column in table.columns]
    return {spelling: name for name in names for spelling in (".".join(name), str(name))}
