"""Which tables of two catalogs are held against each other. Does no I/O."""

from collections import Counter
from collections.abc import Iterable

from trueup.errors import UsageError
from trueup.parity.data.pairing.columns import lacks, pair
from trueup.parity.data.pairing.pairs import Reading, TablePair, Unpaired
from trueup.parity.data.pairing.rules import PLAIN, Rules
from trueup.parity.schema import Catalog, QualifiedName, Table


def pair_tables(
    source: Catalog,
    target: Catalog,
    *,
    tables: Iterable[str] | None = None,
    rules: Rules = PLAIN,
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
    if here and there and (reason := lacks(rules.window.since, here, there, rules)):
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
