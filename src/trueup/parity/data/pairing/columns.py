"""Which columns of two tables are held against each other, and by which key their rows are told apart. Does no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from trueup.errors import UsageError
from trueup.parity.data.pairing.forms import Form, converted_forms, form_of, is_integer
from trueup.parity.data.pairing.pairs import Floor, ReadColumn, Reading, TablePair
from trueup.parity.data.pairing.rules import PLAIN, Rules
from trueup.parity.data.pairing.window import Since
from trueup.parity.schema import Column, ColumnName, Table
from trueup.settings import Conversion


class Twin(NamedTuple):
    """Is one column of each side, which are held against each other."""

    source: Column
    target: Column
    conversion: Conversion | None


Twins = Mapping[str, Twin]
"""By the target's names, sorted."""
SideNumber = Literal[0, 1]
"""Of the source, of the target."""
Forms = tuple[Form, Form]
"""Of the source, of the target; most often the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Is what two tables have in common."""

    twins: Twins
    forms: Mapping[str, Forms | None]
    """Of all twins; None where their types have none in common."""
    key: tuple[str, ...]
    """By the target's names, like all."""
    is_key_enforced: bool

    @property
    def compared(self) -> Mapping[str, Forms]:
        """Return the forms of the columns that have one."""
        return {name: forms for name, forms in self.forms.items() if forms is not None}

    @property
    def has_integer_key(self) -> bool:
        """Return whether both sides enforce a key of one integer."""
        if not self.is_key_enforced or len(self.key) != 1:
            return False
        twin = self.twins[self.key[0]]
        return is_integer(twin.source.value_type) and is_integer(twin.target.value_type)

    def columns(self, side: SideNumber) -> Mapping[str, ReadColumn]:
        """Return the columns that are compared as one side has them."""
        return {
            name: ReadColumn(name=column.name, form=forms[side], value_type=column.value_type)
            for name, forms in self.compared.items()
            for column in [self.twins[name][side]]
        }

    def floor(self, since: Since | None, side: SideNumber) -> Floor | None:
        """Return the least value that is read, as one side has its column."""
        forms = None if since is None else self.forms[since.column]
        if since is None or forms is None:
            return None
        twin = self.twins[since.column]
        # What a conversion gives has the target's type.
        one = ReadColumn(name=twin[side].name, form=forms[side], value_type=twin.target.value_type)
        return Floor(column=one, value=since.value)


def pair(source: Table, target: Table, rules: Rules = PLAIN) -> TablePair:
    """Return what of two tables is compared: columns by name, rows by a key that both have.

    Raises:
        UsageError: a declared conversion names a column that is not there, or doesn't fit the types.
    """
    match = matching(source, target, rules)
    used = {twin.source.name for twin in match.twins.values()}
    return TablePair(
        source=_reading(source, 0, match, rules, target),
        target=_reading(target, 1, match, rules, target),
        names=tuple(match.compared),
        only_in_source=tuple(name for name in source.columns if name not in used),
        only_in_target=tuple(name for name in target.columns if name not in match.twins),
        unlike=tuple(
            f"{name} ({twin.source.type}, {twin.target.type})"
            for name, twin in match.twins.items()
            if match.forms[name] is None
        ),
    )


def matching(source: Table, target: Table, rules: Rules) -> Match:
    """Return what two tables have in common.

    Raises:
        UsageError: a declared conversion names a column that is not there, or doesn't fit the types.
    """
    twins = _twins(source, target, rules.conversions)
    forms = {name: _forms(twin, rules) for name, twin in twins.items()}
    names = {twin.source.name: name for name, twin in twins.items()}
    source_keys = tuple(tuple(names.get(name, "") for name in key) for key in _keys(source))
    compared = {name for name, both in forms.items() if both is not None}
    key, is_enforced = _common_key(source_keys, _keys(target), compared)
    return Match(twins=twins, forms=forms, key=key, is_key_enforced=is_enforced)


def _reading(table: Table, side: SideNumber, match: Match, rules: Rules, target: Table) -> Reading:
    columns = match.columns(side)
    return Reading(
        table=table.name,
        has_partitions=table.kind == "partitioned table",
        columns=tuple(columns.values()),
        key=tuple(columns[name] for name in match.key),
        is_key_enforced=match.is_key_enforced,
        has_integer_key=match.has_integer_key,
        to_utf8=rules.to_utf8,
        hashing=rules.hashing,
        where=rules.window.expressions(target.name),
        since=match.floor(rules.window.since, side),
    )


def lacks(since: Since | None, source: Table, target: Table, rules: Rules) -> str | None:
    """Return why the rows of two tables can't be told apart by a column's value; None where they can."""
    if since is None:
        return None
    twin = _twins(source, target, rules.conversions).get(since.column)
    if twin is None:
        return f"it has no column {since.column} on both sides, so nothing of it was compared (--since)"
    if _forms(twin, rules) is None:
        return f"its column {since.column} has no common form, so nothing of it was compared (--since)"
    return None


def _twins(source: Table, target: Table, conversions: tuple[Conversion, ...]) -> Twins:
    declared = {one.column: one for one in conversions}
    found: dict[str, Twin] = {}
    for name, theirs in sorted(target.columns.items()):
        conversion = declared.pop(str(ColumnName(*target.name, name)), None)
        source_name = conversion.source or name if conversion else name
        if source_name in source.columns:
            found[name] = Twin(source.columns[source_name], theirs, conversion)
        elif conversion:
            raise UsageError(f"the conversion of {conversion.column}: {source.name} has no column {source_name}")
    own = f"{target.name}."
    if unknown := [name for name in declared if name.startswith(own)]:
        raise UsageError(f"a conversion is declared for what is no column of the target: {', '.join(unknown)}")
    return found


def _forms(twin: Twin, rules: Rules) -> Forms | None:
    source, target, conversion = twin
    if not conversion or not conversion.by:
        form = form_of(source, target, as_text=rules.as_text)
        return None if form is None else (form, form)
    forms = converted_forms(source, target, conversion.by)
    if forms is None:
        types = f"{source.type} and {target.type}"
        raise UsageError(f"the conversion of {conversion.column} by {conversion.by!r} doesn't fit {types}")
    return forms


def _keys(table: Table) -> tuple[tuple[str, ...], ...]:
    return ((table.primary_key,) if table.primary_key else ()) + table.unique_keys


def _common_key(
    source: tuple[tuple[str, ...], ...], target: tuple[tuple[str, ...], ...], compared: set[str]
) -> tuple[tuple[str, ...], bool]:
    """Return the best key of the source, else of the target, and whether both enforce it: such a one comes first."""
    known = [key for key in source + target if all(name in compared for name in key)]
    enforced = [set(key) for key in source], [set(key) for key in target]
    on_both = [key for key in known if all(set(key) in keys for keys in enforced)]
    return next(iter(on_both + known), ()), bool(on_both)
