"""How the types that two databases define themselves differ."""

from collections.abc import Iterator, Mapping

from trueup.parity.schema.difference import Difference, Effect, difference
from trueup.parity.schema.expressions import normal
from trueup.parity.schema.model import UserType
from trueup.parity.schema.names import QualifiedName
from trueup.report.model import Severity

Types = Mapping[QualifiedName, UserType]


def type_differences(source: Types, target: Types) -> Iterator[Difference]:
    """Yield how the types differ: labels of enums by their order, clauses of domains without the names of checks."""
    for name in source.keys() - target.keys():
        effect = Effect(Severity.BREAKING, "Statements that name the type fail (42704).", f"create type {name}")
        yield difference("type", name, "missing", (_spelled(source[name]), None), effect)
    for name in target.keys() - source.keys():
        effect = Effect(Severity.COSMETIC, "Nothing of the source uses it.", f"drop type {name}")
        yield difference("type", name, "extra", (None, _spelled(target[name])), effect)
    for name in source.keys() & target.keys():
        mine, theirs = source[name], target[name]
        if mine.kind != theirs.kind:
            effect = Effect(
                Severity.BREAKING, "Its values are of another kind.", f"create {name} again as in the source"
            )
            yield difference("type", name, "kind", (mine.kind, theirs.kind), effect)
        elif _normal(mine) != _normal(theirs):
            change = "labels" if mine.kind == "enum type" else "definition"
            yield difference("type", name, change, (_parts(mine), _parts(theirs)), _changed(mine, theirs))


def _normal(type_: UserType) -> tuple[str, ...]:
    return tuple(normal(part) for part in type_.parts) if type_.kind == "domain" else type_.parts


def _parts(type_: UserType) -> str:
    return (" " if type_.kind == "domain" else ", ").join(type_.parts)


def _spelled(type_: UserType) -> str:
    return f"{type_.kind} ({_parts(type_)})"


def _changed(mine: UserType, theirs: UserType) -> Effect:
    lost, added = set(_normal(mine)) - set(_normal(theirs)), set(_normal(theirs)) - set(_normal(mine))
    if mine.kind == "enum type":
        return _relabelled(mine.name, lost, added)
    if mine.kind == "domain" and not added:
        meaning = "Values that the source's domain refuses are accepted, or its default is gone."
        return Effect(Severity.BEHAVIOURAL, meaning, f"alter domain {mine.name}: add what it lacks")
    if mine.kind == "domain":
        meaning = "Values that the source's domain accepts are refused, or stored in another way."
        return Effect(Severity.BREAKING, meaning, f"alter domain {mine.name} as in the source")
    meaning = "Its values are built from other parts: code that reads or writes them fails."
    return Effect(Severity.BREAKING, meaning, f"create {mine.name} again as in the source")


def _relabelled(name: QualifiedName, lost: set[str], added: set[str]) -> Effect:
    if lost:
        return Effect(
            Severity.BREAKING, "Writes of the labels it lacks fail (22P02).", f"alter type {name} add value ..."
        )
    again = f"create {name} again with the source's labels"
    if added:
        return Effect(Severity.BEHAVIOURAL, "Code may meet labels that it doesn't know.", again)
    return Effect(Severity.BEHAVIOURAL, "Its values are sorted and compared in another order.", again)
