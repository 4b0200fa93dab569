"""How objects differ that are compared by what their definition says: functions, triggers, policies and the like."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from trueup.parity.schema.difference import Difference, Effect, difference
from trueup.parity.schema.expressions import normal
from trueup.parity.schema.model import Catalog, DefinedObject, ObjectKey
from trueup.report.model import Severity


class Kind(NamedTuple):
    """Is what it does when an object of a kind is missing, extra, or defined in another way."""

    missing: Effect
    extra: Effect
    changed: Effect


BREAKING, BEHAVIOURAL, COSMETIC = Severity.BREAKING, Severity.BEHAVIOURAL, Severity.COSMETIC
UNUSED = Effect(COSMETIC, "Nothing of the source uses it.")
ROUTINE = Kind(
    Effect(BREAKING, "Statements that call it fail (42883)."),
    UNUSED,
    Effect(BEHAVIOURAL, "The same call may do or return something else."),
)
REACTION = Kind(
    Effect(BEHAVIOURAL, "What the source does by itself when rows are written does not happen."),
    Effect(BEHAVIOURAL, "Writes do more than in the source, or are refused."),
    Effect(BEHAVIOURAL, "Writes set off something else, or at another time."),
)
BUILDING_BLOCK = Kind(
    Effect(BREAKING, "Statements and definitions that use it fail."),
    UNUSED,
    Effect(BEHAVIOURAL, "The same expressions may give other values, or use other indexes."),
)
SEARCH = Kind(
    Effect(BREAKING, "Searches that name it fail (42704)."),
    UNUSED,
    Effect(BEHAVIOURAL, "The same search finds other rows."),
)
FOREIGN = Kind(
    Effect(BREAKING, "Queries of its foreign tables fail."),
    UNUSED,
    Effect(BEHAVIOURAL, "Foreign tables read from somewhere else, or in another way."),
)
REPLICATION = Kind(
    Effect(BEHAVIOURAL, "Nothing is replicated by it."),
    Effect(BEHAVIOURAL, "Changes are replicated that the source keeps to itself."),
    Effect(BEHAVIOURAL, "Other changes are replicated."),
)
KINDS: Mapping[str, Kind] = {
    "function": ROUTINE,
    "procedure": ROUTINE,
    "aggregate": ROUTINE,
    "trigger": REACTION,
    "event trigger": REACTION,
    "rule": REACTION,
    "policy": Kind(
        Effect(BREAKING, "Roles lose the rows that it lets them see and write, or see rows that it hides."),
        Effect(BREAKING, "Roles see and write rows that the source keeps from them, or lose some."),
        Effect(BREAKING, "Roles see and write other rows."),
    ),
    "extension": Kind(
        Effect(BREAKING, "Its functions, types and operators are not there."),
        UNUSED,
        Effect(BEHAVIOURAL, "Its functions may behave in another way."),
    ),
    "statistics object": Kind(
        Effect(COSMETIC, "Queries may be planned worse."), UNUSED, Effect(COSMETIC, "Queries may be planned otherwise.")
    ),
    "publication": REPLICATION,
    "subscription": REPLICATION,
    "foreign-data wrapper": FOREIGN,
    "server": FOREIGN,
    "user mapping": FOREIGN,
    "foreign table source": FOREIGN,
    "collation": Kind(
        Effect(BREAKING, "Columns and queries that name it fail (42704)."),
        UNUSED,
        Effect(BEHAVIOURAL, "Order and perhaps equality of the same strings differ; indexes may have to be rebuilt."),
    ),
    "text search configuration": SEARCH,
    "text search dictionary": SEARCH,
    "text search parser": SEARCH,
    "text search template": SEARCH,
}
"""Every other kind is a building block."""
REMOVED_BY = {"statistics object": "statistics", "foreign-data wrapper": "foreign data wrapper"}
"""What `drop` calls a kind that it calls otherwise."""


Objects = Mapping[ObjectKey, DefinedObject]


def object_differences(source: Catalog, target: Catalog) -> Iterator[Difference]:
    """Yield how the defined objects differ, leaving out those that a missing table explains."""
    mine, theirs = source.objects, target.objects
    for key in mine.keys() - theirs.keys():
        if _has_table(mine[key], target) and not is_clone(mine[key]):
            yield _missing(mine[key])
    for key in theirs.keys() - mine.keys():
        if _has_table(theirs[key], source) and not is_clone(theirs[key]):
            yield _extra(theirs[key])
    yield from _enabled(mine, theirs)
    for key in mine.keys() & theirs.keys():
        yield from _changed(mine[key], theirs[key])


def _has_table(found: DefinedObject, other: Catalog) -> bool:
    return found.table is None or found.table in other.tables or found.table in other.views


def _missing(found: DefinedObject) -> Difference:
    effect = KINDS.get(found.kind, BUILDING_BLOCK).missing
    remedy = found.create or f"create {found.kind} {found.identity} as in the source"
    return difference(found.kind, found.identity, "missing", (_shown(found), None), effect._replace(remedy=remedy))


def _extra(found: DefinedObject) -> Difference:
    effect = KINDS.get(found.kind, BUILDING_BLOCK).extra
    remedy = f"drop {REMOVED_BY.get(found.kind, found.kind)} {found.identity}"
    return difference(found.kind, found.identity, "extra", (None, _shown(found)), effect._replace(remedy=remedy))


def _changed(mine: DefinedObject, theirs: DefinedObject) -> Iterator[Difference]:
    effect = KINDS.get(mine.kind, BUILDING_BLOCK).changed
    remedy = mine.create or f"create {mine.kind} {mine.identity} again as in the source"
    for part in mine.parts.keys() | theirs.parts.keys():
        sides = mine.parts.get(part), theirs.parts.get(part)
        if not _same(*sides):
            yield difference(mine.kind, mine.identity, part, sides, effect._replace(remedy=remedy))


def _same(source: str | None, target: str | None) -> bool:
    return source == target or (source is not None and target is not None and normal(source) == normal(target))


def is_clone(found: DefinedObject) -> bool:
    """Say whether it is the trigger that a parent gave to a partition, of which only the state is its own."""
    return found.kind == "trigger" and "definition" not in found.parts


def _enabled(mine: Objects, theirs: Objects) -> Iterator[Difference]:
    """Yield the triggers of partitions that are enabled like their parents' on one side only."""
    for key in mine.keys() ^ theirs.keys():
        found = mine.get(key) or theirs[key]
        state = found.parts.get("state")
        if is_clone(found) and state:
            effect = REACTION.changed._replace(remedy=f"enable it on {found.table} as in the source")
            yield difference(key.kind, key.identity, "state", (state, None) if key in mine else (None, state), effect)


def _shown(found: DefinedObject) -> str:
    return found.create or found.kind
