"""Reads the rows that differ, from both sides, and says what repairs them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from psycopg import sql

from trueup.db import Snapshot
from trueup.errors import Disconnected, Unverifiable
from trueup.parity.data.hashing.expressions import comma, key_text
from trueup.parity.data.hashing.rows import joined
from trueup.parity.data.model import Key, TableComparison
from trueup.parity.data.pairing.pairs import Reading, TablePair, Unpaired
from trueup.parity.data.pairing.rules import Rules
from trueup.parity.data.pairing.tables import pair_tables
from trueup.parity.data.repair.changes import change, undone
from trueup.parity.data.repair.model import Change, Image, Refusal, Repair, Written
from trueup.parity.data.repair.refusing import gaps, refusal
from trueup.parity.data.repair.statements import digest
from trueup.parity.data.repair.values import as_stored, own_text, read_value, to_guard
from trueup.parity.data.sides.lockstep import Side, savepoint, unverifiable
from trueup.parity.schema import Catalog, QualifiedName, Table
from trueup.settings import Conversion

KEYS_AT_ONCE = 1_000

Images = Mapping[Key, Image]


def repair(
    source: Side, target: Side, comparisons: Iterable[TableComparison], *, conversions: Iterable[Conversion] = ()
) -> Repair:
    """Return what makes the rows that a comparison lists in the target like those of the source, and what undoes it.

    Nothing is written to either side.

    Raises:
        Disconnected: a server went away.
    """
    found = {comparison.table: comparison for comparison in comparisons}
    rules = Rules(conversions=tuple(conversions))
    pairs = pair_tables(source.catalog, target.catalog, tables=found, rules=rules) if found else ()
    parts = [_repair_table(source, target, pair, found[str(pair.table)]) for pair in pairs]
    there = tuple(change for part in parts for change in part.there)
    return Repair(
        there=there,
        back=tuple(change for part in parts for change in part.back),
        refused=tuple(refusal for part in parts for refusal in part.refused),
        triggers=tuple(_firing(target.catalog, {change.written.name for change in there})),
    )


def _repair_table(source: Side, target: Side, pair: TablePair | Unpaired, comparison: TableComparison) -> Repair:
    reason = refusal(comparison, pair, target.catalog.tables.get(pair.table))
    if reason or isinstance(pair, Unpaired):
        return Repair(refused=(Refusal(object=comparison.table, reason=reason or ""),))
    try:
        found = tuple(_changes(source, target, pair, comparison))
        there = tuple(one for one in found if isinstance(one, Change))
        back = tuple(_undoing(target, there))
    except Disconnected:
        raise
    except Unverifiable as error:
        return Repair(refused=(Refusal(object=comparison.table, reason=f"its values can't be written: {error}"),))
    refused = tuple(one for one in found if isinstance(one, Refusal))
    return Repair(there=there, back=back, refused=(*gaps(comparison, pair), *refused))


def _firing(catalog: Catalog, tables: set[QualifiedName]) -> Iterator[str]:
    for each in catalog.objects.values():
        if each.kind == "trigger" and each.table in tables and each.parts.get("state") in {"enabled", "always"}:
            yield each.identity


def _changes(source: Side, target: Side, pair: TablePair, comparison: TableComparison) -> Iterator[Change | Refusal]:
    written = Written(table=target.catalog.tables[pair.table], reading=pair.target)
    columns: dict[Key, tuple[str, ...] | None] = dict.fromkeys((*comparison.missing, *comparison.extra))
    columns |= {row.key: row.columns for row in comparison.changed}
    keys = tuple(columns)
    mine = _source_images(source.snapshot, pair, written.table, keys)
    theirs = _target_images(target.snapshot, pair, written.table, keys)
    for key in keys:
        found = change(written, key, source=mine.get(key), target=theirs.get(key), columns=columns[key])
        if isinstance(found, str):
            yield Refusal(object=f"{pair.table} {', '.join(map(str, key))}", reason=found)
        elif found:
            yield found


def _source_images(snapshot: Snapshot, pair: TablePair, target: Table, keys: Sequence[Key]) -> Images:
    values = [read_value(one, target.columns[name]) for name, one in zip(pair.names, pair.source.columns, strict=True)]
    return _images(snapshot, pair.source, pair.names, sql.SQL("array[{}]::text[], ''").format(comma(values)), keys)


def _target_images(snapshot: Snapshot, pair: TablePair, target: Table, keys: Sequence[Key]) -> Images:
    names = tuple(target.columns)
    values = comma(map(own_text, target.columns.values()))
    row = sql.SQL("array[{}]::text[], {}").format(values, digest(target, names))
    return _images(snapshot, pair.target, names, row, keys)


def _images(
    snapshot: Snapshot, reading: Reading, names: Sequence[str], row: sql.Composable, keys: Sequence[Key]
) -> Images:
    """Return the rows of these keys; `row` are their values in the order of the names, and their digest."""
    found: dict[Key, Image] = {}
    with savepoint(snapshot), unverifiable(snapshot):
        for start in range(0, len(keys), KEYS_AT_ONCE):
            query = sql.SQL("select array[{}], {} from {}").format(
                comma(map(key_text, reading.key)), row, joined(reading.whole, keys[start : start + KEYS_AT_ONCE])
            )
            for key, texts, digested in snapshot.rows(query):
                found[tuple(key)] = Image(values=dict(zip(names, texts, strict=True)), digest=digested)
    return found


def _undoing(target: Side, changes: Sequence[Change]) -> Iterator[Change]:
    """Yield what undoes each change, once the server has said how it will write the values down."""
    digests: dict[int, str] = {}
    alike: defaultdict[tuple[str, ...], list[Change]] = defaultdict(list)
    for one in changes:
        alike[tuple(one.values)].append(one)
    with savepoint(target.snapshot), unverifiable(target.snapshot):
        for names, some in alike.items():
            if names:
                answers = target.snapshot.rows(_digests(names, some))
                digests |= {id(one): text for one, (text,) in zip(some, answers, strict=True)}
    return (undone(one, digests.get(id(one), "")) for one in changes)


def _digests(names: Sequence[str], changes: Sequence[Change]) -> sql.Composed:
    """Ask for the digests that rows will have in the columns that are written, one a row."""
    columns = changes[0].written.table.columns
    texts = (sql.SQL("{}::text[]").format(sql.Literal([one.values[name] for one in changes])) for name in names)
    aliases = [sql.Identifier(f"v{number}") for number in range(len(names))]
    stored = (
        to_guard(columns[name], as_stored(columns[name], sql.SQL("v.{}").format(alias)))
        for name, alias in zip(names, aliases, strict=True)
    )
    return sql.SQL("select md5(row({})::text) from unnest({}) with ordinality as v ({}, n) order by v.n").format(
        comma(stored), comma(texts), comma(aliases)
    )
