"""The statements that make one structure like another, in an order in which they can run. Does no I/O.

Source: PostgreSQL manual, "Dependency Tracking".
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import NamedTuple, cast

from trueup.parity.schema.diff import diff
from trueup.parity.schema.model import Annotations, Catalog, ObjectKey
from trueup.parity.schema.names import ColumnName
from trueup.parity.schema.planning import making
from trueup.parity.schema.planning.alterations import Alteration, alteration
from trueup.parity.schema.planning.annotating import annotated, said_of_new
from trueup.parity.schema.planning.order import Action, Verb, in_order, same_names
from trueup.parity.schema.planning.renaming import Rename, renamed, renamed_keys, renames
from trueup.parity.schema.planning.units import Unit, cut

Needs = frozenset[tuple[ObjectKey, ObjectKey]]


class Structure(NamedTuple):
    """Is a structure, and what in it needs what."""

    catalog: Catalog
    needs: Needs


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Is what makes the target like the source, and what leads back to the start."""

    up: tuple[Step, ...]
    down: tuple[Step, ...]

    @property
    def unreached(self) -> tuple[ObjectKey, ...]:
        """Return what one of the two ways doesn't reach, each once."""
        return tuple(dict.fromkeys((*unreached(self.up), *unreached(self.down))))


@dataclass(slots=True, kw_only=True)
class Side:
    """Is one side as units, with who needs whom among them."""

    units: dict[ObjectKey, Unit]
    needs: defaultdict[ObjectKey, set[ObjectKey]] = field(default_factory=lambda: defaultdict(set))
    needed_by: defaultdict[ObjectKey, set[ObjectKey]] = field(default_factory=lambda: defaultdict(set))
    parts: defaultdict[ObjectKey, set[ObjectKey]] = field(default_factory=lambda: defaultdict(set))

    def wholes(self, key: ObjectKey) -> Iterator[ObjectKey]:
        """Yield what a unit is a part of, the nearest first."""
        whole = self.units[key].whole
        while whole is not None and whole in self.units:
            yield whole
            whole = self.units[whole].whole


def planned(source: Structure, target: Structure, maker: str) -> Plan:
    """Return what makes `target` like `source`, and back; nothing where a comparison finds them alike."""
    if not diff(source.catalog, target.catalog):
        return Plan(up=(), down=())
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
    side = _side(Structure(renamed(have.catalog, found), needs))
    return (*map(_renaming, found), *Planner(have=side, want=_side(want), maker=maker).steps())


def _renaming(rename: Rename) -> Step:
    action = Action("alter", rename.key)
    return Step(action=action, statements=(rename.statement,), have=None, want=None, is_on_new=False)


def _side(structure: Structure) -> Side:
    side = Side(units=cut(structure.catalog))
    pairs = [(unit.key, needed) for unit in side.units.values() for needed in unit.needs]
    for key, needed in [*pairs, *structure.needs]:
        is_owned_by = key.kind == "sequence" and needed.kind.endswith("column")  # The unit of its owner says so.
        if key in side.units and needed in side.units and key != needed and not is_owned_by:
            side.needs[key].add(needed)
            side.needed_by[needed].add(key)
    for unit in side.units.values():
        if unit.whole is not None:
            side.parts[unit.whole].add(unit.key)
    return side


@dataclass(slots=True, kw_only=True)
class Planner:
    """Decides what is to be done with each unit, and in which order."""

    have: Side
    want: Side
    maker: str = ""
    altered: dict[ObjectKey, Alteration] = field(default_factory=dict)
    """What changes where it stands."""
    gone: set[ObjectKey] = field(default_factory=set)
    """What is dropped: it, or what it needs, can't stay. Some of it is made again."""

    def steps(self) -> tuple[Step, ...]:
        """Return what is to be done, in order."""
        self.decide()
        actions = self.actions()
        return tuple(
            self.step(action) for action in in_order(actions, self.edges(actions)) if not self.says_nothing(action)
        )

    def step(self, action: Action) -> Step:
        """Return an action with all that is known of it."""
        have, want = self.have.units.get(action.key), self.want.units.get(action.key)
        return Step(
            action=action,
            statements=self.statements(action),
            have=have,
            want=want,
            is_on_new=bool(want) and any(self.is_new(whole) for whole in self.want.wholes(action.key)),
        )

    def decide(self) -> None:
        """Find what is altered and what is dropped."""
        have, want = self.have.units, self.want.units
        gone = have.keys() - want.keys()
        for key in have.keys() & want.keys():
            if have[key].form == want[key].form or is_said(key):
                continue
            found = alteration(have[key], want[key])
            if found is None:
                gone.add(key)
                continue
            self.altered[key] = found
            if found.touches:
                gone |= {each for each in self.have.needed_by[key] if is_in_the_way(each)}
        self.gone = self.with_dependents(gone)
        self.altered = {key: found for key, found in self.altered.items() if key not in self.gone}

    def with_dependents(self, gone: set[ObjectKey]) -> set[ObjectKey]:
        """Return what is gone with all that needs it or is part of it."""
        found, ahead = set(gone), list(gone)
        while ahead:
            key = ahead.pop()
            parts = {each for each in self.have.parts[key] if each.kind != "sequence" or each not in self.want.units}
            news = (self.have.needed_by[key] | parts) - found
            found |= news
            ahead += news
        return found

    def actions(self) -> set[Action]:
        """Return all that is to be done, each with what carries it."""
        found = {Action("drop", key) for key in self.gone}
        found |= {Action("alter", key) for key in self.altered}
        found |= {Action("make", key) for key in self.want.units if key not in self.have.units or key in self.gone}
        staying = (self.have.units.keys() & self.want.units.keys()) - self.gone
        found |= {
            Action("alter", key)
            for key in staying
            if is_said(key) and self.have.units[key].form != self.want.units[key].form
        }
        return {self.carrier(action) for action in found}

    def carrier(self, action: Action) -> Action:
        """Return the action that does this one along: a table is made and dropped with its columns."""
        verb, key = action
        if verb == "drop" and key in self.gone:
            wholes = [each for each in self.have.wholes(key) if each in self.gone]
            return Action("drop", wholes[-1]) if wholes else action
        if verb == "make" and key in self.want.units:
            unit = self.want.units[key]
            if unit.made_with_whole and unit.whole and self.is_new(unit.whole):
                return Action("make", unit.whole)
            if key.kind == DEFAULT and unit.whole and self.is_added(unit.whole):
                return Action("make", unit.whole)
        return action

    def is_added(self, key: ObjectKey) -> bool:
        """Say whether the plan adds a column to a table that is there: the rows get its default at once, or NULL."""
        return self.is_new(key) and not any(self.is_new(whole) for whole in self.want.wholes(key))

    def is_new(self, key: ObjectKey) -> bool:
        """Say whether the plan makes a unit."""
        return key in self.want.units and (key not in self.have.units or key in self.gone)

    def edges(self, actions: Collection[Action]) -> Iterator[tuple[Action, Action]]:
        """Yield pairs of which the first has to be done before the second."""
        for first, second in self.reasons():
            before, after = self.carrier(first), self.carrier(second)
            if before != after and before in actions and after in actions:
                yield before, after
        yield from same_names(actions)

    def reasons(self) -> Iterator[tuple[Action, Action]]:
        """Yield the pairs as the units alone give them."""
        for key in self.gone:
            for each in self.have.needed_by[key]:
                yield Action("drop", each), Action("drop", key)
                yield Action("alter", each), Action("drop", key)
            for each in self.have.needs[key]:
                yield Action("drop", key), Action("alter", each)
            yield Action("drop", key), Action("make", key)
        for key in self.want.units:
            for verb in ("alter", "make"):
                for each in self.want.needs[key]:
                    yield Action("make", each), Action(verb, key)
                    yield Action("alter", each), Action(verb, key)
        yield from self.owners_of_sequences()

    def owners_of_sequences(self) -> Iterator[tuple[Action, Action]]:
        """Yield that a column's sequence has its table's owner: the table gets it first, and then they are tied."""
        for key, unit in self.want.units.items():
            if key.kind == "sequence owner" and isinstance(unit.form, ColumnName):
                table = str(unit.form.relation)
                verbs: tuple[Verb, ...] = ("alter", "make")
                said_of_table, said_of_sequence = (
                    ObjectKey(f"{SAID}table", table),
                    ObjectKey(f"{SAID}sequence", key.identity),
                )
                chain = (said_of_table, said_of_sequence, key)
                for (one, other), before, after in product(pairwise(chain), verbs, verbs):
                    yield Action(before, one), Action(after, other)

    def says_nothing(self, action: Action) -> bool:
        """Say whether there is nothing to run for an action, rightly."""
        return is_said(action.key) and not self.statements(action)

    def statements(self, action: Action) -> tuple[str, ...]:
        """Return what does an action."""
        verb, key = action
        if is_said(key):
            return self.said(action)
        if verb == "drop":
            return self.have.units[key].drop
        if verb == "alter":
            return self.altered[key].statements
        default = self.want.units.get(ObjectKey(DEFAULT, f"for {key.identity}"))
        if default and self.is_added(key):
            return making.with_default(self.want.units[key].create, str(default.form))
        return self.want.units[key].create

    def said(self, action: Action) -> tuple[str, ...]:
        """Return what changes what is said of an object."""
        key = action.key
        subject = ObjectKey(key.kind.removeprefix(SAID), key.identity)
        have, want = self.have.units.get(key), self.want.units.get(key)
        if have and have.whole in self.gone and action.verb == "drop":
            return ()
        if action.verb == "drop":
            want = None
        unit = want or have
        is_first = have is None if unit is None or unit.whole is None else self.is_new(unit.whole)
        new = {**said_of_new(subject), **({"owner": self.maker} if self.maker else {})}
        before = new if is_first or have is None else said(have)
        after = said(want) if want else said_of_new(subject) if have and have.whole is None else {}
        return tuple(annotated(subject, before, after))


SAID = "what is said of "
DEFAULT = "default value"
STANDING = frozenset({"table constraint", "index", "sequence owner", "statistics object"})
"""What the server itself rebuilds when a column of theirs gets another type."""


def is_said(key: ObjectKey) -> bool:
    """Say whether a unit is what is said of another one."""
    return key.kind.startswith(SAID)


def said(unit: Unit) -> Annotations:
    """Return what a unit says of another one."""
    return cast("Annotations", unit.thing)


def is_in_the_way(key: ObjectKey) -> bool:
    """Say whether what needs a column has to go before the column gets another type."""
    return key.kind not in STANDING and not is_said(key)
