"""Which tables, columns and keys of two catalogs are held against each other. Does no I/O."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from trueup.errors import UsageError
from trueup.parity.data.pairing.forms import Form, converted_forms, form_of, is_integer
from trueup.parity.data.pairing.grid import ALL_ROWS, Span
from trueup.parity.data.pairing.window import ALL_OF_IT, Since, Window
from trueup.parity.schema import Catalog, Column, ColumnName, QualifiedName, Table, ValueType
from trueup.settings import Conversion

Hashing = Literal["native", "text", "both"]
"""By the server's own record hash; by MD5 of the row's text, where the servers' own disagree; by both, 128 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadColumn:
    """Is one column as one side has it, and the form in which it is compared."""

    name: str
    form: Form
    value_type: ValueType


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Is how one side's table is read."""

    table: QualifiedName
    has_partitions: bool
    columns: tuple[ReadColumn, ...]
    """Those compared, in one order on both sides."""
    key: tuple[ReadColumn, ...] = ()
    """Empty where rows are told apart by their whole content."""
    is_key_enforced: bool = False
    """Whether the key is unique and not null on both sides, so that an index finds its rows."""
    has_integer_key: bool = False
    """Whether it is one integer besides."""
    to_utf8: bool = False
    """Whether the databases have different encodings, so that text must be converted to be the same."""
    hashing: Hashing = "native"
    span: Span = ALL_ROWS
    where: tuple[str, ...] = ()
    """Conditions of the user's on the side's own columns, as SQL."""
    since: "Floor | None" = None
    sample_parts: int | None = None
    """How many of SAMPLE_PARTS are read, each row belonging to one by the hash of its key; None: all."""

    @property
    def is_whole(self) -> bool:
        """Return whether no row is left out by what the user asked for."""
        return not (self.where or self.since or self.sample_parts is not None)

    @property
    def whole(self) -> "Reading":
        """Return the same without what the user left out."""
        return replace(self, span=ALL_ROWS, where=(), since=None, sample_parts=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Is the least value of a column that is read."""

    column: ReadColumn
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePair:
    """Is one table of both sides, and what of it can be compared."""

    source: Reading
    target: Reading
    names: tuple[str, ...] = ()
    """Of the columns compared, as the target calls them, in the order of both readings."""
    only_in_source: tuple[str, ...] = ()
    """Columns."""
    only_in_target: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    """Columns whose types have no form in common: `name (jsonb, text[])`."""

    @property
    def table(self) -> QualifiedName:
        """Return its name."""
        return self.source.table

    def within(self, span: Span) -> "TablePair":
        """Return the same, reading the rows of a span alone."""
        return replace(self, source=replace(self.source, span=span), target=replace(self.target, span=span))

    def sampled(self, parts: int) -> "TablePair":
        """Return the same, reading so many of SAMPLE_PARTS alone."""
        source, target = (replace(reading, sample_parts=parts) for reading in (self.source, self.target))
        return replace(self, source=source, target=target)

    @property
    def whole(self) -> "TablePair":
        """Return the same, reading all rows."""
        return replace(self, source=self.source.whole, target=self.target.whole)

    @property
    def is_sampled(self) -> bool:
        """Return whether a sample of the rows is read."""
        return self.source.sample_parts is not None

    @property
    def columns_not_compared(self) -> tuple[str, ...]:
        """Return every column that was left out, with the reason."""
        return (
            *(f"{name}: in the source only" for name in self.only_in_source),
            *(f"{name}: in the target only" for name in self.only_in_target),
            *(f"{name}: no common form" for name in self.unlike),
        )

    @property
    def gap(self) -> str | None:
        """Return what of the source was not compared, so that the rest can't prove the tables equal."""
        open_ = (*(f"{name} is missing in the target" for name in self.only_in_source), *self.unlike)
        return "columns not compared: " + ", ".join(open_) if open_ else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpaired:
    """Is one table of one side that can't be compared, and why."""

    reading: Reading
    in_source: bool
    """Else in the target."""
    reason: str
    is_absent: bool
    """Whether the other side has nothing of that name at all."""
    is_nowhere: bool = False
    """Whether neither side has."""

    @property
    def table(self) -> QualifiedName:
        """Return its name."""
        return self.reading.table


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Is what holds for all tables of a comparison."""

    to_utf8: bool = False
    hashing: Hashing = "native"
    as_text: frozenset[str] = frozenset()
    """Types whose other forms the two servers don't write alike."""
    conversions: tuple[Conversion, ...] = ()
    window: Window = ALL_OF_IT


class Twin(NamedTuple):
    """Is one column of each side, which are held against each other."""

    source: Column
    target: Column
    conversion: Conversion | None


Twins = Mapping[str, Twin]
"""By the target's names, sorted."""


def pair(source: Table, target: Table, rules: Rules = Rules()) -> TablePair:
    """Return what of two tables is compared: columns by name, rows by a key that both have.

    Raises:
        UsageError: a declared conversion names a column that is not there, or doesn't fit the types.
    """
    twins = _twins(source, target, rules.conversions)
    found = {name: _forms(twin, rules) for name, twin in twins.items()}
    forms = {name: both for name, both in found.items() if both is not None}
    names = {twin.source.name: name for name, twin in twins.items()}
    source_keys = tuple(tuple(names.get(name, "") for name in key) for key in _keys(source))
    key, is_enforced = _common_key(source_keys, _keys(target), forms)

    def reading(table: Table, side: Literal[0, 1]) -> Reading:
        columns = {
            name: ReadColumn(name=column.name, form=both[side], value_type=column.value_type)
            for name, both in forms.items()
            for column in [twins[name].source if side == 0 else twins[name].target]
        }
        return Reading(
            table=table.name,
            has_partitions=table.kind == "partitioned table",
            columns=tuple(columns.values()),
            key=tuple(columns[name] for name in key),
            is_key_enforced=is_enforced,
            has_integer_key=is_enforced
            and len(key) == 1
            and is_integer(twins[key[0]].source.value_type)
            and is_integer(twins[key[0]].target.value_type),
            to_utf8=rules.to_utf8,
            hashing=rules.hashing,
            where=rules.window.expressions(target.name),
            since=_floor(rules.window.since, twins, found, side),
        )

    used = {twin.source.name for twin in twins.values()}
    return TablePair(
        source=reading(source, 0),
        target=reading(target, 1),
        names=tuple(forms),
        only_in_source=tuple(name for name in source.columns if name not in used),
        only_in_target=tuple(name for name in target.columns if name not in twins),
        unlike=tuple(
            f"{name} ({twins[name].source.type}, {twins[name].target.type})"
            for name, form in found.items()
            if form is None
        ),
    )


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


def _forms(twin: Twin, rules: Rules) -> tuple[Form, Form] | None:
    source, target, conversion = twin
    if not conversion or not conversion.by:
        form = form_of(source, target, as_text=rules.as_text)
        return None if form is None else (form, form)
    forms = converted_forms(source, target, conversion.by)
    if forms is None:
        types = f"{source.type} and {target.type}"
        raise UsageError(f"the conversion of {conversion.column} by {conversion.by!r} doesn't fit {types}")
    return forms


def _floor(
    since: Since | None, twins: Twins, forms: Mapping[str, tuple[Form, Form] | None], side: Literal[0, 1]
) -> Floor | None:
    if since is None or (both := forms[since.column]) is None:
        return None
    twin = twins[since.column]
    column = twin.source if side == 0 else twin.target
    # What a conversion gives has the target's type.
    one = ReadColumn(name=column.name, form=both[side], value_type=twin.target.value_type)
    return Floor(column=one, value=since.value)


def _lacks(since: Since | None, source: Table, target: Table, rules: Rules) -> str | None:
    """Return why the rows of two tables can't be told apart by a column's value; None where they can."""
    if since is None:
        return None
    twin = _twins(source, target, rules.conversions).get(since.column)
    if twin is None:
        return f"it has no column {since.column} on both sides, so nothing of it was compared (--since)"
    if _forms(twin, rules) is None:
        return f"its column {since.column} has no common form, so nothing of it was compared (--since)"
    return None


def _keys(table: Table) -> tuple[tuple[str, ...], ...]:
    return ((table.primary_key,) if table.primary_key else ()) + table.unique_keys


def _common_key(
    source: tuple[tuple[str, ...], ...], target: tuple[tuple[str, ...], ...], forms: Mapping[str, object]
) -> tuple[tuple[str, ...], bool]:
    """Return the best key of the source, else of the target, and whether both enforce it: such a one comes first."""
    known = [key for key in source + target if all(name in forms for name in key)]
    enforced = [set(key) for key in source], [set(key) for key in target]
    on_both = [key for key in known if all(set(key) in keys for keys in enforced)]
    return next(iter(on_both + known), ()), bool(on_both)


def pair_tables(
    source: Catalog,
    target: Catalog,
    *,
    tables: Iterable[str] | None = None,
    rules: Rules = Rules(),
) -> tuple[TablePair | Unpaired, ...]:
    """Return every table of either side once, sorted by name; a partition counts as part of its parent.

    Of `tables`, those that neither side has stand behind the others.

    Raises:
        UsageError: no name of `tables`, or one of a condition, is a table of either side; or a declared conversion
            doesn't fit.
    """
    names = sorted(_roots(source) | _roots(target))
    lacking: tuple[str, ...] = ()
    if tables is not None:
        names, lacking = _selected(names, tuple(tables), known={*source.tables, *target.tables})
    conditioned = {one.table for one in rules.window.where if one.table}
    if unknown := sorted(map(str, conditioned.difference(names))):
        raise UsageError(f"--where is for a table that is not compared: {', '.join(unknown)}")
    return (*(_match(name, source, target, rules) for name in names), *map(_nowhere, lacking))


def _roots(catalog: Catalog) -> set[QualifiedName]:
    return {
        name
        for name, table in catalog.tables.items()
        if table.kind != "foreign table" and table.partition_bound is None
    }


def _selected(
    names: list[QualifiedName], wanted: tuple[str, ...], *, known: set[QualifiedName]
) -> tuple[list[QualifiedName], tuple[str, ...]]:
    """Return the tables of these names, and the names of which there is none."""
    spelled = {spelling: name for name in known for spelling in (f"{name.schema}.{name.name}", str(name))}
    unknown = tuple(text for text in wanted if text not in spelled)
    if len(unknown) == len(wanted):
        raise UsageError(f"no such table on either side: {', '.join(unknown)}; name it with its schema: public.clients")
    asked = {spelled[text] for text in wanted if text in spelled}
    return [name for name in names if name in asked] + sorted(asked - set(names)), unknown


def _nowhere(text: str) -> Unpaired:
    schema, _, name = text.rpartition(".")
    reading = Reading(table=QualifiedName(schema or "public", name), has_partitions=False, columns=())
    reason = "neither side has such a table"
    return Unpaired(reading=reading, in_source=True, reason=reason, is_absent=False, is_nowhere=True)


def _match(name: QualifiedName, source: Catalog, target: Catalog, rules: Rules) -> TablePair | Unpaired:
    here, there = _table(name, source), _table(name, target)
    if here and there and (reason := _lacks(rules.window.since, here, there, rules)):
        reading = Reading(table=name, has_partitions=here.kind == "partitioned table", columns=())
        return Unpaired(reading=reading, in_source=True, is_absent=False, reason=reason)
    if here and there:
        return pair(here, there, rules)
    known, other, role = (here, target, "target") if here else (there, source, "source")
    assert known
    instead = other.tables.get(name) or other.views.get(name)
    return Unpaired(
        reading=Reading(table=name, has_partitions=known.kind == "partitioned table", columns=()),
        in_source=here is not None,
        is_absent=instead is None,
        reason=f"it is a {instead.kind} in the {role}, whose rows are not compared"
        if instead
        else f"the {role} has no such table",
    )


def _table(name: QualifiedName, catalog: Catalog) -> Table | None:
    table = catalog.tables.get(name)
    return None if table is None or table.kind == "foreign table" else table


def uncompared(catalog: Catalog) -> dict[str, int]:
    """Return how many relations hold rows that are not compared, by kind: {"foreign table": 2, "view": 3}."""
    kinds = [table.kind for table in catalog.tables.values() if table.kind == "foreign table"]
    return dict(sorted(Counter(kinds + [view.kind for view in catalog.views.values()]).items()))
