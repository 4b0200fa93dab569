"""Which missing things may be extra ones under a new name: scored, said as a hint, and never assumed."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import chain
from typing import NamedTuple, Self, TypeVar

from trueup.parity.schema.difference import Difference
from trueup.parity.schema.model import Catalog, Column, Table, UserType
from trueup.parity.schema.names import ColumnName, QualifiedName, quote_ident

T = TypeVar("T")

LIKELY = 0.6
"""The score from which a pair is worth a hint: equal is 1."""
OPPOSITES = (
    {"active", "enabled", "on", "current", "alive", "present", "valid", "visible", "open", "public", "allowed"},
    {"fired", "inactive", "disabled", "off", "deleted", "removed", "dead", "absent", "missing", "invalid", "hidden",
     "closed", "private", "blocked", "banned", "archived", "cancelled", "canceled", "expired", "revoked", "dismissed"},
)  # fmt: skip
"""Words for yes, and words for no, among the names of flags."""
NEGATIONS = frozenset({"not", "no", "non", "un", "without"})


class Rename(NamedTuple):
    """Is a guess that something has another name on the other side."""

    score: float
    is_inverted: bool = False
    """Whether the other name means the opposite."""


UNLIKELY = Rename(0)


def with_hints(differences: Iterable[Difference], source: Catalog, target: Catalog) -> Iterator[Difference]:
    """Yield the differences; one that says that something is missing names what it may be called now."""
    listed = list(differences)
    hints = {(kind, str(name)): hint for kind, name, hint in chain(_hints(source, target), _parts(listed))}
    for found in listed:
        hint = hints.get((found.kind, found.object)) if found.change in {"missing", "labels"} else None
        yield replace(found, hint=hint) if hint else found


def _hints(source: Catalog, target: Catalog) -> Iterator[tuple[str, object, str]]:
    lost = [Shape.of(table) for name, table in source.tables.items() if name not in target.tables]
    new = [Shape.of(table) for name, table in target.tables.items() if name not in source.tables]
    for mine, theirs, guess in best_pairs(lost, new, same_table):
        yield "table", mine.name, _hint(str(theirs.name), guess)
    for name in source.tables.keys() & target.tables.keys():
        for mine_column, their_column, guess in _columns(source.tables[name], target.tables[name]):
            full = ColumnName(*name, mine_column.name)
            yield "column", full, _hint(quote_ident(their_column.name), guess)
    for name in source.types.keys() & target.types.keys():
        yield from _labels(name, source.types[name], target.types[name])


def _parts(differences: Iterable[Difference]) -> Iterator[tuple[str, object, str]]:
    """Yield hints about constraints and indexes that are not what they were: those that are have been matched."""
    lost, new = defaultdict[Place, list[Difference]](list), defaultdict[Place, list[Difference]](list)
    for found in differences:
        if found.kind in {"constraint", "index"} and found.change in {"missing", "extra"}:
            (lost if found.change == "missing" else new)[place_of(found)].append(found)
    for place, gone in lost.items():
        for mine, theirs, guess in best_pairs(gone, new[place], same_part):
            yield mine.kind, mine.object, _hint(theirs.object.rpartition(".")[2], guess)


def _columns(mine: Table, theirs: Table) -> list[tuple[Column, Column, Rename]]:
    lost = [column for name, column in mine.columns.items() if name not in theirs.columns]
    new = [column for name, column in theirs.columns.items() if name not in mine.columns]
    return best_pairs(lost, new, same_column)


def _labels(name: QualifiedName, mine: UserType, theirs: UserType) -> Iterator[tuple[str, object, str]]:
    if mine.kind != "enum type" or theirs.kind != "enum type":
        return
    lost = [label for label in mine.parts if label not in theirs.parts]
    new = [label for label in theirs.parts if label not in mine.parts]
    pairs = best_pairs(lost, new, lambda a, b: Rename(likeness(a, b)))
    if pairs:
        renamed = "; ".join(f"{a!r} may be {b!r} now ({guess.score:.2f})" for a, b, guess in pairs)
        yield "type", name, renamed


def _hint(other: str, guess: Rename) -> str:
    if guess.is_inverted:
        return f"may be {other} now, which means the opposite: copy it as `not`, never as it is"
    return f"may be {other} now ({guess.score:.2f})"


def best_pairs(lost: list[T], new: list[T], score: Callable[[T, T], Rename]) -> list[tuple[T, T, Rename]]:
    """Return the likely pairs, the best first; nothing is in two of them."""
    scored = ((score(mine, theirs), i, j) for i, mine in enumerate(lost) for j, theirs in enumerate(new))
    guesses = [each for each in scored if each[0].score >= LIKELY]
    found, taken = [], (set[int](), set[int]())
    for guess, i, j in sorted(guesses, key=lambda each: (-each[0].score, each[1], each[2])):
        if i not in taken[0] and j not in taken[1]:
            taken[0].add(i)
            taken[1].add(j)
            found.append((lost[i], new[j], guess))
    return found


def same_column(mine: Column, theirs: Column) -> Rename:
    """Return how likely two columns of different names are the same one."""
    if mine.value_type.name == theirs.value_type.name == ("pg_catalog", "bool") and is_opposite(mine.name, theirs.name):
        return Rename(1.0, is_inverted=True)
    alike = likeness(mine.name, theirs.name)
    if mine.type != theirs.type and mine.value_type.category != theirs.value_type.category:
        return Rename(alike * 0.6)
    facts = (mine.type == theirs.type, mine.nullable == theirs.nullable, mine.default == theirs.default)
    return Rename(0.7 * alike + 0.1 * sum(facts))


class Shape(NamedTuple):
    """Is what a table is known by, whatever it is called."""

    name: QualifiedName
    columns: frozenset[tuple[str, str]]
    """Names and types."""

    @classmethod
    def of(cls, table: Table) -> Self:
        """Return the shape of a table."""
        return cls(table.name, frozenset((column.name, column.type) for column in table.columns.values()))


def same_table(mine: Shape, theirs: Shape) -> Rename:
    """Return how likely two tables of different names are the same one: by their columns first."""
    amount = len(mine.columns & theirs.columns)
    shared = amount / max(1, len(mine.columns) + len(theirs.columns) - amount)
    if 0.7 * shared + 0.3 < LIKELY:
        return UNLIKELY
    return Rename(0.7 * shared + 0.3 * likeness(mine.name.name, theirs.name.name))


Place = tuple[str, str, str]
"""Where a constraint or an index is, and what it is: nothing turns from one kind into another."""


def place_of(found: Difference) -> Place:
    """Return the relation of a constraint or index that one side lacks, and its kind."""
    definition = found.source or found.target or ""
    if found.kind == "constraint":
        return found.kind, found.object.rpartition(".")[0], definition.partition(" (")[0].partition(" NULLS ")[0]
    head, _, rest = definition.partition(" ON ")
    return found.kind, rest.partition(" USING ")[0], head


def same_part(mine: Difference, theirs: Difference) -> Rename:
    """Return how likely two constraints, or two indexes, of one relation are the same one."""
    names = likeness(mine.object.rpartition(".")[2], theirs.object.rpartition(".")[2])
    definitions = SequenceMatcher(None, mine.source or "", theirs.target or "").ratio()
    return Rename(0.5 * names + 0.5 * definitions)


def likeness(one: str, other: str) -> float:
    """Return how alike two names are, from 0 to 1: by their words, or by their letters where that is more."""
    mine, theirs = words(one), words(other)
    shared = 2 * len(mine & theirs) / max(1, len(mine) + len(theirs))
    return max(shared, SequenceMatcher(None, one, other).ratio())


def is_opposite(one: str, other: str) -> bool:
    """Say whether one name of a flag says yes where the other says no."""
    mine, theirs = words(one), words(other)
    if any(yes & mine and no & theirs for yes, no in (OPPOSITES, OPPOSITES[::-1])):
        return not (mine & NEGATIONS) ^ (theirs & NEGATIONS)
    return bool(mine ^ theirs) and mine - NEGATIONS == theirs - NEGATIONS


@lru_cache(maxsize=10_000)
def words(name: str) -> frozenset[str]:
    """Return the words of a name: without what only says that it is a flag or an id."""
    found = frozenset(re.findall(r"[a-z0-9]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()))
    return found - {"is", "has", "was"} or found
