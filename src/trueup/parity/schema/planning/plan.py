"""The statements that make one structure like another, in an order in which they can run. Does no I/O.

Source: PostgreSQL manual, "Dependency Tracking".
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import cast

from trueup.parity.schema.model import Annotations, ObjectKey
from trueup.parity.schema.planning.annotating import annotated, granted_by_default, said_of_new
from trueup.parity.schema.planning.decision import Decision, decide
from trueup.parity.schema.planning.lineage import before_joining, moves, once_left
from trueup.parity.schema.planning.order import Action, in_order
from trueup.parity.schema.planning.partition_indexes import index_renames
from trueup.parity.schema.planning.reasons import reasons
from trueup.parity.schema.planning.renaming import AnyRename, renamed, renamed_keys, renames
from trueup.parity.schema.planning.sides import Structure, both_sides
from trueup.parity.schema.planning.table_units import added, lenient
from trueup.parity.schema.planning.units import DEFAULT, SAID, Unit, is_said


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Is what is done with one unit."""

    action: Action
    statements: tuple[str, ...]
    """Empty where nobody knows how: the plan does not reach it."""
    have: Unit | None
    want: Unit | None
    is_on_new: bool
    """Whether what the unit is a part of is made by the plan too, and so holds no rows."""
    follows: frozenset[Action] = frozenset()
    """What has to be done before: without it this one fails, or makes no sense."""
    checks: tuple[str, ...] = ()
    """Queries that count the rows at which it fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Is what makes the target like the source, and what leads back to the start."""

    up: tuple[Step, ...]
    down: tuple[Step, ...]

    @property
    def unreached(self) -> tuple[ObjectKey, ...]:
        """Return what one of the two ways doesn't reach, each once."""
        return tuple(dict.fromkeys((*unreached(self.up), *unreached(self.down))))


def planned(source: Structure, target: Structure, maker: str) -> Plan:
    """Return what makes `target` like `source`, and back: also what only dumps show, such as the name of a key."""
    return Plan(up=steps(target, source, maker), down=steps(source, target, maker))


def unreached(found: Iterable[Step]) -> tuple[ObjectKey, ...]:
    """Return what the steps don't reach: nobody knows a statement for it."""
    return tuple(step.action.key for step in found if not step.statements)


def steps(have: Structure, want: Structure, maker: str = "") -> tuple[Step, ...]:
    """Return what makes `have` like `want`, in order; nothing where they are alike.

    `maker` is who runs it and so owns what it makes; who owns it in `want` becomes its owner.
    """
    found = renames(have.catalog, want.catalog)
    keys = renamed_keys(found)
    needs = frozenset((keys.get(one, one), keys.get(other, other)) for one, other in have.needs)
    start = Structure(renamed(have.catalog, found), needs)
    moving = moves(start.catalog, want.catalog)
    decision = decide(*both_sides(once_left(start, moving), before_joining(want, moving)))
    return (
        *map(_renaming, found),
        *(_moving(each.key, each.leaving) for each in moving if each.left),
        *_arranged(Planner(decision=decision, maker=maker)),
        *(_moving(each.key, each.joining) for each in moving if each.joined),
        *(_moving(key, (statement,)) for key, statement in index_renames(decision, start.names, want)),
    )


def _moving(key: ObjectKey, statements: tuple[str, ...]) -> Step:
    return Step(action=Action("alter", key), statements=statements, have=None, want=None, is_on_new=False)


def _renaming(rename: AnyRename) -> Step:
    return _moving(rename.key, (rename.statement,))


def _arranged(planner: "Planner") -> tuple[Step, ...]:
    """Return the steps in order; where wholes can't be dropped since each needs the other, their parts go before."""
    decision = planner.decision
    actions = decision.actions
    found = list(reasons(decision, actions))
    ordered, in_circles = in_order(actions, ((reason.first, reason.second) for reason in found))
    apart = _parts_in_the_way(decision, in_circles)
    if apart - decision.apart:
        return _arranged(replace(planner, decision=replace(decision, apart=decision.apart | apart)))
    follows: defaultdict[Action, set[Action]] = defaultdict(set)
    for reason in found:
        if reason.is_hard:
            follows[reason.second].add(reason.first)
    listed = (planner.step(action, frozenset(follows[action])) for action in (*ordered, *in_circles))
    return tuple(step for step in listed if step.statements or not is_said(step.action.key))


def _parts_in_the_way(decision: Decision, in_circles: Iterable[Action]) -> frozenset[ObjectKey]:
    """Return the parts of what is dropped in circles that need something beside their own whole."""
    wholes = {key for verb, key in in_circles if verb == "drop"}
    return frozenset(
        part
        for whole in wholes
        for part in _all_parts(decision, whole)
        if any(_top(decision, need) not in {whole, None} for need in decision.have.needs[part])
        and decision.have.units[part].drop
        and not is_said(part)
    )


def _all_parts(decision: Decision, whole: ObjectKey) -> set[ObjectKey]:
    found = set(decision.have.parts[whole])
    for each in tuple(found):
        found |= _all_parts(decision, each)
    return found & decision.gone


def _top(decision: Decision, key: ObjectKey) -> ObjectKey | None:
    """Return the whole that a unit is dropped with; None where it stays."""
    return next(reversed([key, *decision.have.wholes(key)])) if key in decision.gone else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Knows the statements of each action."""

    decision: Decision
    maker: str = ""

    @property
    def defaults(self) -> dict[str, Annotations]:
        """Return the default privileges that are in force while things are made."""
        kind = f"{SAID}default acl"
        units = ((key, unit) for key, unit in self.decision.have.units.items() if key.kind == kind)
        return {key.identity: _said(unit) for key, unit in units if key not in self.decision.gone}

    def step(self, action: Action, follows: frozenset[Action]) -> Step:
        """Return an action with all that is known of it."""
        have, want = self.decision.have, self.decision.want
        unit = want.units.get(action.key)
        return Step(
            action=action,
            statements=self.statements(action),
            have=have.units.get(action.key),
            want=unit,
            is_on_new=bool(unit) and any(self.decision.is_new(whole) for whole in want.wholes(action.key)),
            follows=follows,
            checks=self.decision.altered[action.key].checks
            if action.verb == "alter" and not is_said(action.key)
            else (),
        )

    def statements(self, action: Action) -> tuple[str, ...]:
        """Return what does an action."""
        verb, key = action
        if is_said(key):
            return self.said(action)
        if verb == "drop":
            return self.decision.have.units[key].drop
        if verb == "alter":
            return self.decision.altered[key].statements
        want = self.decision.want.units
        default = want.get(ObjectKey(DEFAULT, f"for {key.identity}"))
        if default and default.whole == key and key.kind.endswith(" column") and self.decision.is_added(key):
            return (added(want[key], str(default.form)), *lenient(want[key]))
        return want[key].create

    def said(self, action: Action) -> tuple[str, ...]:
        """Return what changes what is said of an object."""
        key = action.key
        subject = ObjectKey(key.kind.removeprefix(SAID), key.identity)
        have, want = self.decision.have.units.get(key), self.decision.want.units.get(key)
        is_number = have is not None and have.whole is not None and have.whole.kind.endswith(" column")
        if (
            have
            and action.verb == "drop"
            and (have.whole in self.decision.gone or (is_number and "sequence" in key.kind))
        ):
            return ()
        if action.verb == "drop":
            want = None
        unit = want or have
        is_first = have is None if unit is None or unit.whole is None else self.decision.is_unsaid(unit)
        new = {
            **granted_by_default(subject, self.maker, self.defaults),
            **({"owner": self.maker} if self.maker else {}),
        }
        before = new if is_first or have is None else _said(have)
        after = _said(want) if want else said_of_new(subject) if have and have.whole is None else {}
        return tuple(annotated(subject, before, after))


def _said(unit: Unit) -> Annotations:
    """Return what a unit says of another one."""
    return cast("Annotations", unit.thing)
