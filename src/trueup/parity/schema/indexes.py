"""How the indexes of two relations of the same name differ: by definition first, by name second."""

from collections.abc import Collection, Iterator

from trueup.parity.schema.difference import Difference, Effect, difference
from trueup.parity.schema.expressions import normal, retyped_form
from trueup.parity.schema.model import Index
from trueup.parity.schema.names import QualifiedName, quote_ident
from trueup.parity.schema.pairs import Unmatched, is_implicit
from trueup.report.model import Severity

UNIQUE_LOST = Effect(Severity.BREAKING, "ON CONFLICT on it fails (42P10), and duplicates are accepted.")
SPEED_LOST = Effect(Severity.BEHAVIOURAL, "The same rows come, but queries that need it become slow.")
UNIQUE_ADDED = Effect(Severity.BREAKING, "Duplicates, which the source accepts, are refused (23505).")
SPEED_ADDED = Effect(Severity.COSMETIC, "Only the time of reads and writes differs.")


def index_differences(
    name: QualifiedName, source: Collection[Index], target: Collection[Index]
) -> Iterator[Difference]:
    """Yield how the indexes of two relations differ."""
    yield from index_pair_differences(name, Unmatched(source, target), retyped=())


def index_pair_differences(
    relation: QualifiedName, indexes: Unmatched[Index], *, retyped: Collection[str]
) -> Iterator[Difference]:
    """Yield how the indexes differ that nothing else accounts for; `retyped` names columns whose type differs."""
    alike = indexes.take(lambda i: normal(i.definition))
    alike += indexes.take(lambda i: retyped_form(i.definition, retyped))
    for mine, theirs in alike:
        yield from _validity(relation, mine, theirs)
        yield from _names(relation, mine, theirs)
    for mine, theirs in indexes.take(lambda i: i.name):
        sides = (mine.definition, theirs.definition)
        yield difference("index", _full(relation, mine), "definition", sides, _redefined(relation, mine, theirs))
    for mine in indexes.source:
        effect = (UNIQUE_LOST if mine.unique else SPEED_LOST)._replace(remedy=created(mine))
        yield difference("index", _full(relation, mine), "missing", (mine.definition, None), effect)
    for theirs in indexes.target:
        full = _full(relation, theirs)
        effect = (UNIQUE_ADDED if theirs.unique else SPEED_ADDED)._replace(remedy=f"drop index {full}")
        yield difference("index", full, "extra", (None, theirs.definition), effect)


def created(index: Index) -> str:
    """Return the statement that creates the index under its name."""
    head, on, rest = index.definition.partition(" ON ")
    return f"{head} {quote_ident(index.name)}{on}{rest}"


def _full(relation: QualifiedName, index: Index) -> QualifiedName:
    return QualifiedName(relation.schema, index.name)


def _validity(relation: QualifiedName, mine: Index, theirs: Index) -> Iterator[Difference]:
    if mine.valid != theirs.valid:
        effect = Effect(
            Severity.BREAKING if mine.unique else Severity.BEHAVIOURAL,
            "On one side it is not valid: no query uses it, and ON CONFLICT on it fails (42P10).",
            f"reindex index concurrently {_full(relation, theirs)}",
        )
        words = ("valid" if mine.valid else "not valid", "valid" if theirs.valid else "not valid")
        yield difference("index", _full(relation, mine), "validity", words, effect)


def _names(relation: QualifiedName, mine: Index, theirs: Index) -> Iterator[Difference]:
    implicit = all(is_implicit(side.name, relation, "index") for side in (mine, theirs))
    if mine.name != theirs.name and not implicit:
        rename = f"alter index {_full(relation, theirs)} rename to {quote_ident(mine.name)}"
        effect = Effect(Severity.COSMETIC, "Only its name differs.", rename)
        yield difference("index", _full(relation, mine), "name", (mine.name, theirs.name), effect)


def _redefined(relation: QualifiedName, mine: Index, theirs: Index) -> Effect:
    remedy = f"drop index {_full(relation, theirs)}; {created(mine)}"
    if theirs.unique:
        meaning = "It refuses other rows than the source's, and ON CONFLICT as written for the source may fail (42P10)."
        return Effect(Severity.BREAKING, meaning, remedy)
    return (UNIQUE_LOST if mine.unique else SPEED_LOST)._replace(remedy=remedy)
