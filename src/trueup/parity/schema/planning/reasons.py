"""Why one action has to come before another. Does no I/O."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise, product
from typing import NamedTuple, cast

from trueup.parity.schema.model import Annotations, Constraint, Index, ObjectKey, Table
from trueup.parity.schema.names import ColumnName, QualifiedName, quote_ident
from trueup.parity.schema.planning.decision import Decision
from trueup.parity.schema.planning.order import Action, Verb, same_names
from trueup.parity.schema.planning.swapping import swapped_columns
from trueup.parity.schema.planning.units import OF_TYPE, PARTITION, SAID, Unit, is_said


class Reason(NamedTuple):
    """Is that one action has to come before another."""

    first: Action
    second: Action
    is_hard: bool = True
    """Whether the second makes no sense, or fails, where the first is left out."""


def reasons(decision: Decision, actions: Collection[Action]) -> Iterator[Reason]:
    """Yield what has to be done before what, among the actions."""
    for reason in _reasons(decision):
        first, second = decision.carrier(reason.first), decision.carrier(reason.second)
        if first != second and first in actions and second in actions:
            yield Reason(first, second, reason.is_hard)
    for one, other in same_names(actions):
        yield Reason(one, other)
    yield from _defaults_of_grants(actions)


def _reasons(decision: Decision) -> Iterator[Reason]:
    yield from _drops(decision)
    for key in decision.want.units:
        for verb, each in product(("alter", "make"), decision.want.needs[key]):
            yield Reason(Action("make", each), Action(cast("Verb", verb), key))
            yield Reason(Action("alter", each), Action(cast("Verb", verb), key))
    yield from _owners_of_sequences(decision.want.units)
    yield from _partitions(decision)
    yield from _inherited(decision)
    yield from _swaps(decision)
    yield from _keys_first(decision)
    yield from _following(decision)
    yield from _stored(decision)
    yield from _logging(decision)


def _drops(decision: Decision) -> Iterator[Reason]:
    for key in decision.gone:
        for each in decision.have.needed_by[key]:
            yield Reason(Action("drop", each), Action("drop", key))
            yield Reason(Action("alter", each), Action("drop", key))
        for each in decision.have.needs[key]:
            is_touched = each in decision.altered and decision.altered[each].touches
            yield Reason(Action("drop", key), Action("alter", each), is_hard=is_touched)
        yield Reason(Action("drop", key), Action("make", key))


def _owners_of_sequences(units: Mapping[ObjectKey, Unit]) -> Iterator[Reason]:
    """Yield that a column's sequence has its table's owner: the table gets it first, and then they are tied."""
    for key, unit in units.items():
        if key.kind == "sequence owner" and isinstance(unit.form, ColumnName):
            said_of_table = ObjectKey(f"{SAID}table", str(unit.form.relation))
            chain = (said_of_table, ObjectKey(f"{SAID}sequence", key.identity), key)
            verbs: tuple[Verb, ...] = ("alter", "make")
            for (one, other), before, after in product(pairwise(chain), verbs, verbs):
                yield Reason(Action(before, one), Action(after, other))


def _partitions(decision: Decision) -> Iterator[Reason]:
    """Yield that all partitions leave before one comes: until then their bounds may overlap."""
    leaving: defaultdict[object, list[ObjectKey]] = defaultdict(list)
    for key in decision.gone:
        if key.kind == PARTITION:
            leaving[_parents(decision.have.units[key])].append(key)
            for each in _of_the_parent(decision, key):
                yield Reason(Action("drop", each), Action("drop", key), is_hard=False)
    for key, unit in decision.want.units.items():
        if key.kind == PARTITION:
            for each in leaving[_parents(unit)]:
                yield Reason(Action("drop", each), Action("make", key))


def _of_the_parent(decision: Decision, key: ObjectKey) -> Iterator[ObjectKey]:
    """Yield the constraints and indexes of a partition's parent that are dropped: one that left would keep its own."""
    tables = {ObjectKey("table", str(parent)) for parent in _parents(decision.have.units[key])}
    for table in tables - decision.gone:
        parts = decision.have.parts[table] & decision.gone
        yield from (each for each in parts if each.kind in {"table constraint", "index"})


def _inherited(decision: Decision) -> Iterator[Reason]:
    """Yield that the columns of a parent are as they should be before a child or a partition takes them."""
    want = decision.want
    for key, unit in want.units.items():
        for giver in unit.given_by:
            table = next((each for each in want.wholes(key) if each.kind == "table"), None)
            if key.kind == "table column" and table:
                partition = ObjectKey(PARTITION, table.identity)
                for verb, child in product(("alter", "make"), (table, partition)):
                    yield Reason(Action(cast("Verb", verb), giver), Action("make", child))
                yield Reason(Action("drop", partition), Action("alter", giver))
                yield Reason(Action("alter", key), Action("make", partition))


def _defaults_of_grants(actions: Collection[Action]) -> Iterator[Reason]:
    """Yield that what new objects get by default changes after they are made, and ends before."""
    changes = [action for action in actions if action.key.kind == f"{SAID}default acl"]
    makes = [action for action in actions if action.verb == "make" and not is_said(action.key)] if changes else []
    for change, make in product(changes, makes):
        yield Reason(*(change, make) if change.verb == "drop" else (make, change))


def _parents(unit: Unit) -> tuple[QualifiedName, ...]:
    return cast("Table", unit.thing).parents


def _swaps(decision: Decision) -> Iterator[Reason]:
    """Yield that what stands on the columns of a type goes before the type is swapped, and comes after."""
    for key, alteration in decision.altered.items():
        for column in alteration.swaps:
            for each in decision.have.needed_by[column] & decision.gone:
                yield Reason(Action("drop", each), Action("alter", key))
            for each in decision.want.needed_by[column]:
                yield Reason(Action("alter", key), Action("make", each))
            yield Reason(Action("alter", key), Action("alter", column))
        if alteration.is_swap:
            for column in swapped_columns(decision.have, key) - alteration.swaps:
                yield Reason(Action("alter", column), Action("alter", key))


def _keys_first(decision: Decision) -> Iterator[Reason]:
    """Yield that a table has its primary key before what else is unique: foreign keys hang on the first that fits."""
    for key, unit in decision.want.units.items():
        if isinstance(unit.thing, Constraint) and unit.thing.kind == "primary key" and unit.whole:
            for each in decision.want.parts[unit.whole] - {key}:
                if isinstance(decision.want.units[each].thing, Constraint | Index):
                    yield Reason(Action("make", key), Action("make", each), is_hard=False)


def _stored(decision: Decision) -> Iterator[Reason]:
    """Yield that an access method is there before a table is kept by it, and goes when none is any more."""
    for side, is_made in ((decision.want, True), (decision.have, False)):
        for key, unit in side.units.items():
            name = cast("Annotations", unit.thing).get("access method") if is_said(key) else None
            method = ObjectKey("access method", quote_ident(name)) if name else None
            if method in side.units:
                for verb in ("alter", "make"):
                    action = Action(verb, key)
                    ends = (Action("make", method), action) if is_made else (action, Action("drop", method))
                    yield Reason(*ends)


def _following(decision: Decision) -> Iterator[Reason]:
    """Yield that a table that follows a type lets go of it before it gets columns."""
    for key in decision.gone:
        whole = decision.have.units[key].whole if key.kind == OF_TYPE else None
        if whole:
            yield from (Reason(Action("drop", key), Action("make", each)) for each in decision.want.parts[whole])


def _logging(decision: Decision) -> Iterator[Reason]:
    """Yield that a table is logged after the one that it refers to, and unlogged before."""
    for unit in decision.want.units.values():
        if isinstance(unit.thing, Constraint) and unit.thing.kind == "foreign key" and unit.whole:
            parents = {each for need in decision.want.needs[unit.key] for each in decision.want.wholes(need)}
            for parent in parents - {unit.whole}:
                ends = (Action("alter", parent), Action("alter", unit.whole))
                yield Reason(*ends if _is_logged(decision, unit.whole) else reversed(ends))


def _is_logged(decision: Decision, key: ObjectKey) -> bool:
    return cast("tuple[Table, object]", decision.want.units[key].thing)[0].persistence == "permanent"
