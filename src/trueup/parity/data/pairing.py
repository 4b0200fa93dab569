"""Which tables, columns and keys of two catalogs are held against each other. Does no I/O."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from trueup.errors import UsageError
from trueup.parity.data.forms import INTEGERS, Form, form_of
from trueup.parity.schema import Catalog, QualifiedName, Table, ValueType


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Is how one side's table is read."""

    table: QualifiedName
    has_partitions: bool
    forms: Mapping[str, Form]
    """Of the columns compared, in one order on both sides."""
    key: tuple[str, ...] = ()
    """Empty where rows are told apart by their whole content."""
    key_types: tuple[ValueType, ...] = ()
    has_integer_key: bool = False
    """Whether the key is one integer, unique and not null on both sides."""
    to_utf8: bool = False
    """Whether the databases have different encodings, so that text must be converted to be the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePair:
    """Is one table of both sides, and what of it can be compared."""

    source: Reading
    target: Reading
    only_in_source: tuple[str, ...] = ()
    """Columns."""
    only_in_target: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    """Columns whose types have no form in common: `name (jsonb, text[])`."""

    @property
    def table(self) -> QualifiedName:
        """Return its name."""
        return self.source.table

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

    @property
    def table(self) -> QualifiedName:
        """Return its name."""
        return self.reading.table


def pair(source: Table, target: Table, *, to_utf8: bool = False) -> TablePair:
    """Return what of two tables is compared: columns by name, rows by a key that both have."""
    common = [name for name in source.columns if name in target.columns]
    found = {name: form_of(source.columns[name], target.columns[name]) for name in sorted(common)}
    forms = {name: form for name, form in found.items() if form is not None}
    key = _common_key(source, target, forms)

    def reading(table: Table) -> Reading:
        types = tuple(table.columns[name].value_type for name in key)
        return Reading(
            table=table.name,
            has_partitions=table.kind == "partitioned table",
            forms=MappingProxyType(forms),
            key=key,
            key_types=types,
            has_integer_key=_is_integer_key(key, source) and _is_integer_key(key, target),
            to_utf8=to_utf8,
        )

    return TablePair(
        source=reading(source),
        target=reading(target),
        only_in_source=tuple(name for name in source.columns if name not in target.columns),
        only_in_target=tuple(name for name in target.columns if name not in source.columns),
        unlike=tuple(
            f"{name} ({source.columns[name].type}, {target.columns[name].type})"
            for name, form in found.items()
            if form is None
        ),
    )


def _keys(table: Table) -> tuple[tuple[str, ...], ...]:
    return ((table.primary_key,) if table.primary_key else ()) + table.unique_keys


def _common_key(source: Table, target: Table, forms: Mapping[str, Form]) -> tuple[str, ...]:
    """Return the best key of the source, else of the target; one that both enforce comes first."""
    known = [key for key in _keys(source) + _keys(target) if all(name in forms for name in key)]
    enforced = [set(key) for key in _keys(source)], [set(key) for key in _keys(target)]
    on_both = [key for key in known if all(set(key) in keys for keys in enforced)]
    return next(iter(on_both + known), ())


def _is_integer_key(key: tuple[str, ...], table: Table) -> bool:
    if len(key) != 1 or key not in _keys(table):
        return False
    return table.columns[key[0]].value_type.name in {QualifiedName("pg_catalog", name) for name in INTEGERS}


def pair_tables(
    source: Catalog, target: Catalog, *, tables: Iterable[str] | None = None, to_utf8: bool = False
) -> tuple[TablePair | Unpaired, ...]:
    """Return every table of either side once, sorted by name; a partition counts as part of its parent.

    Raises:
        UsageError: a name of `tables` is not a table of either side.
    """
    names = sorted(_roots(source) | _roots(target))
    if tables is not None:
        names = _selected(names, tuple(tables), known={*source.tables, *target.tables})
    return tuple(_match(name, source, target, to_utf8=to_utf8) for name in names)


def _roots(catalog: Catalog) -> set[QualifiedName]:
    return {
        name
        for name, table in catalog.tables.items()
        if table.kind != "foreign table" and table.partition_bound is None
    }


def _selected(names: list[QualifiedName], wanted: tuple[str, ...], *, known: set[QualifiedName]) -> list[QualifiedName]:
    spelled = {spelling: name for name in known for spelling in (f"{name.schema}.{name.name}", str(name))}
    unknown = [text for text in wanted if text not in spelled]
    if unknown:
        raise UsageError(f"no such table on either side: {', '.join(unknown)}; name it with its schema: public.clients")
    asked = {spelled[text] for text in wanted}
    return [name for name in names if name in asked] + sorted(asked - set(names))


def _match(name: QualifiedName, source: Catalog, target: Catalog, *, to_utf8: bool) -> TablePair | Unpaired:
    here, there = _table(name, source), _table(name, target)
    if here and there:
        return pair(here, there, to_utf8=to_utf8)
    known, other, role = (here, target, "target") if here else (there, source, "source")
    assert known
    instead = other.tables.get(name) or other.views.get(name)
    return Unpaired(
        reading=Reading(table=name, has_partitions=known.kind == "partitioned table", forms={}),
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
