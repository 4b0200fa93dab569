"""What becomes of each unit: it stays, is altered, goes, or is made. Does no I/O."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import cast

from trueup.parity.schema.model import Column, Constraint, ObjectKey
from trueup.parity.schema.planning.alteration import Alteration
from trueup.parity.schema.planning.alterations import alteration
from trueup.parity.schema.planning.order import Action
from trueup.parity.schema.planning.sides import Side
from trueup.parity.schema.planning.swapping import holding_columns, set_aside, swap, swapped, swapped_columns
from trueup.parity.schema.planning.table_units import HOW
from trueup.parity.schema.planning.units import (
    DEFAULT,
    DOMAIN_CHECK,
    OF_TYPE,
    PARTITION,
    REPLICA_IDENTITY,
    Unit,
    is_said,
)

MADE_OF_PARTS = frozenset({"table", "table column", "foreign table column"})
"""What needs no statement of its own where another one changes it along."""
COMPARABLE = (frozenset({"int2", "int4", "int8"}), frozenset({"text", "varchar", "bpchar"}))
"""Types that a foreign key takes for one."""
CHECKED = re.compile(r"alter domain .* (set not null$|add constraint )", re.DOTALL)
"""What the server does only where no column holds the domain inside of other values."""
STANDING = frozenset({"table constraint", "index", "sequence owner", "statistics object", "partition"})
"""What the server itself rebuilds when a column of theirs gets another type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Is what becomes of each unit of two sides."""

    have: Side
    want: Side
    altered: Mapping[ObjectKey, Alteration]
    """What changes where it stands."""
    gone: frozenset[ObjectKey]
    """What is dropped: it, or what it needs, can't stay. Some of it is made again."""
    apart: frozenset[ObjectKey] = field(default=frozenset())
    """What is dropped before its whole, since something else that is dropped needs it."""

    @property
    def actions(self) -> set[Action]:
        """Return all that is to be done, each with what carries it."""
        have, want = self.have.units, self.want.units
        found = {Action("drop", key) for key in self.gone}
        found |= {Action("alter", key) for key in self.altered}
        found |= {Action("make", key) for key in want if key not in have or key in self.gone}
        staying = (have.keys() & want.keys()) - self.gone
        said = [key for key in staying if is_said(key)]
        found |= {Action("alter", key) for key in said if have[key].form != want[key].form or self.is_unsaid(want[key])}
        return {self.carrier(action) for action in found}

    def carrier(self, action: Action) -> Action:
        """Return the action that does this one along: a table is made and dropped with its columns."""
        verb, key = action
        if verb == "drop" and key in self.gone:
            return self._drops(key)
        if verb == "make" and key in self.want.units:
            return self._makes(key)
        giver = self._giver(key) if verb == "alter" else None
        return Action("alter", giver) if giver else action

    def _drops(self, key: ObjectKey) -> Action:
        if key in self.apart:
            return Action("drop", key)
        wholes = list(takewhile(self.gone.__contains__, self.have.wholes(key)))
        if key.kind == REPLICA_IDENTITY and wholes[-1:] and wholes[-1].kind != "table":
            return Action("drop", key)  # Else the table goes on looking for the index that is gone.
        last = next((each for each in wholes if each in self.apart), wholes[-1] if wholes else key)
        givers = sorted(self.have.units[last].given_by & self.gone) if last.kind != DEFAULT else []
        return self._drops(givers[0]) if givers else Action("drop", last)

    def _makes(self, key: ObjectKey) -> Action:
        unit = self.want.units[key]
        if unit.made_with_whole and unit.whole and self.is_new(unit.whole):
            return Action("make", unit.whole)
        givers = sorted(each for each in unit.given_by if self.is_new(each))
        if key.kind != DEFAULT:
            return self._makes(givers[0]) if givers and self.is_new(key) else Action("make", key)
        if unit.whole is None or not (self.is_added(unit.whole) and unit.whole.kind.endswith(" column")):
            return Action("make", key)
        if givers:
            return self._makes(givers[0]) if unit.form == self.want.units[givers[0]].form else Action("make", key)
        return Action("make", unit.whole)

    def _giver(self, key: ObjectKey) -> ObjectKey | None:
        """Return the column of a parent that passes its change on."""
        unit = self.want.units.get(key) if key in self.altered else None
        if unit and unit.whole and ObjectKey(PARTITION, unit.whole.identity) in self.gone:
            return None
        for giver in sorted(unit.given_by if unit else ()):
            if giver in self.altered and self._passes_on(giver, key):
                return self._giver(giver) or giver
        return None

    def _passes_on(self, giver: ObjectKey, key: ObjectKey) -> bool:
        mine, theirs = self.want.units[giver], self.want.units[key]
        parent, child = (str(unit.whole.identity) if unit.whole else "" for unit in (mine, theirs))
        found = self.altered[key]
        if all(mine.names.get(part) == theirs.names.get(part) for part in ("not null", HOW)):
            same = replace(theirs, names=mine.names, given_by=frozenset())  # It gets the parent's NOT NULL by its name.
            found = alteration(self.have.units[key], same) or found
        return self.altered[giver].statements == found.passed_on(parent, child)

    def is_new(self, key: ObjectKey) -> bool:
        """Say whether the plan makes a unit."""
        return key in self.want.units and (key not in self.have.units or key in self.gone)

    def is_unsaid(self, unit: Unit) -> bool:
        """Say whether nothing is said any more of what a unit speaks of, since the plan makes it, or another one."""
        whole = unit.whole
        if whole is None:
            return False
        is_swapped = whole in self.altered and (self.altered[whole].is_swap or DOMAIN_CHECK in unit.key.kind)
        return is_swapped or self.is_new(whole)

    def is_added(self, key: ObjectKey) -> bool:
        """Say whether the plan adds a column to a table that is there: the rows get its default at once, or NULL."""
        return self.is_new(key) and not any(self.is_new(whole) for whole in self.want.wholes(key))


def decide(have: Side, want: Side) -> Decision:
    """Find what is altered and what is dropped."""
    gone = have.units.keys() - want.units.keys()
    altered: dict[ObjectKey, Alteration] = {}
    for key in have.units.keys() & want.units.keys():
        if have.units[key].form == want.units[key].form or is_said(key):
            continue
        found = alteration(have.units[key], want.units[key]) or swap(have, want, key)
        if found is None or (found.touches and have.parts_rows(key)):
            gone.add(key)
            continue
        if not found.statements and key.kind in MADE_OF_PARTS:
            continue
        altered[key] = found
        if key.kind == "type":
            gone |= {each for each in have.needed_by[key] if each.kind == OF_TYPE}
            if any(re.search(CHECKED, statement) for statement in found.statements):
                altered[key] = found._replace(swaps=found.swaps | holding_columns(have, key))
                gone |= {each for column in altered[key].swaps for each in _in_the_way(have, column)}
        if found.touches:
            gone |= set(_in_the_way(have, key)) | set(_apart(have, want, key))
    gone |= {each for each in have.units if each.kind == OF_TYPE and _gets_columns(have, want, each)}
    gone = _with_dependents(have, want, gone)
    altered = {key: _settled(have, want, key, found, gone) for key, found in altered.items() if key not in gone}
    return Decision(have=have, want=want, altered=altered, gone=frozenset(gone))


def _gets_columns(have: Side, want: Side, following: ObjectKey) -> bool:
    """Say whether a table that follows a type gets columns."""
    table = have.units[following].whole
    new = want.parts[table] - have.units.keys() if table else ()
    return any(each.kind == "table column" for each in new)


def _settled(have: Side, want: Side, key: ObjectKey, found: Alteration, gone: Collection[ObjectKey]) -> Alteration:
    """Return an alteration once it is known what goes: columns that are not converted, partitions that leave."""
    if found.is_swap:
        return swapped(have, want, key, found.swaps.difference(gone))
    if found.swaps:
        return set_aside(have, found, found.swaps.difference(gone))
    whole = want.units[key].whole
    if whole is None or ObjectKey(PARTITION, whole.identity) not in gone:
        return found
    return alteration(have.units[key], replace(want.units[key], given_by=frozenset())) or found


def _what_goes(have: Side, key: ObjectKey) -> ObjectKey:
    """Return what can't stay with a unit that goes: a table goes with a column that parts its rows."""
    whole = have.units[key].whole
    return whole if whole and have.parts_rows(key) else key


def _in_the_way(have: Side, key: ObjectKey) -> Iterator[ObjectKey]:
    """Yield what has to go before something is altered that it needs."""
    if key.kind != "type":
        yield from (each for each in have.needed_by[key] if each.kind not in STANDING and not is_said(each))
        return
    columns = swapped_columns(have, key)
    yield from (each for each in have.needed_by[key] if each not in columns and not is_said(each))
    for column in columns:
        if have.parts_rows(column):
            yield column
        yield from _in_the_way(have, column)


def _apart(have: Side, want: Side, key: ObjectKey) -> Iterator[ObjectKey]:
    """Yield the foreign keys whose ends could not be compared while only one of them has its new type."""
    if key.kind != "table column":
        return
    mine, theirs = (cast("tuple[Column, object]", side.units[key].thing)[0].value_type for side in (have, want))
    if any({mine.name.name, theirs.name.name} <= family for family in COMPARABLE):
        return
    for each in have.needed_by[key]:
        constraint = have.units[each].thing
        if isinstance(constraint, Constraint) and constraint.kind == "foreign key":
            yield each


def _with_dependents(have: Side, want: Side, gone: set[ObjectKey]) -> set[ObjectKey]:
    """Return what is gone with all that needs it or is part of it."""
    found: set[ObjectKey] = set()
    ahead = set(gone)
    while ahead:
        key = ahead.pop()
        found.add(key)
        parts = {each for each in have.parts[key] if each.kind != "sequence" or each not in want.units}
        dependents = {each for each in have.needed_by[key] if not _is_rid_of(have, want, each, key)}
        ahead |= (dependents | parts | {_what_goes(have, key)}) - found
    return found


def _is_rid_of(have: Side, want: Side, column: ObjectKey, key: ObjectKey) -> bool:
    """Say whether a column can get another type, so that it doesn't need the one that goes."""
    if key.kind != "type" or column.kind != "table column" or column not in want.units or have.parts_rows(column):
        return False
    found = alteration(have.units[column], want.units[column])
    return found is not None and found.touches and key not in want.needs[column]
