"""The SQL that reads a table in buckets. Does no I/O.

Nothing is passed as a parameter: with none, the driver leaves every `%` of a hostile name alone. The only values in the
texts are integers of ours, bounds of integer keys, and keys, quoted by the driver.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from trueup.parity.data.expressions import (
    column,
    column_hash,
    comma,
    int8,
    key_hash,
    key_text,
    native_hash,
    row_hashes,
    row_id,
    values,
)
from trueup.parity.data.expressions import hashes as hashes_of
from trueup.parity.data.grid import Grid, HashGrid, RangeGrid, Span, runs
from trueup.parity.data.model import Key
from trueup.parity.data.pairing import ReadColumn, Reading

MOST_RANGES = 100
"""Beyond so many, one pass over the table beats an index scan for each."""
PART_SEED = 0
"""Of the hash that cuts a table into parts, which must be the same in every run."""


def size(reading: Reading) -> sql.Composed:
    """Ask for the bytes of the table's own file, or of its partitions' together."""
    return sql.SQL(
        "select coalesce(sum(pg_relation_size(relid)), pg_relation_size({name}::regclass))::int8"
        " from pg_partition_tree({name}::regclass)"
    ).format(name=sql.Literal(str(reading.table)))


def count(reading: Reading) -> sql.Composed:
    """Ask for the number of rows."""
    return sql.SQL("select count(*) from {} {}").format(relation(reading), _where(reading))


def key_bounds(reading: Reading) -> sql.Composed:
    """Ask for the smallest and the largest integer key: two NULLs where there is no row."""
    key = column(reading.key[0])
    return sql.SQL("select min({0})::int8, max({0})::int8 from {1} {2}").format(key, relation(reading), _where(reading))


def sample(reading: Reading, percent: float, most: int) -> sql.Composed:
    """Ask for the keys of some rows, as text."""
    return sql.SQL("select {} from {} tablesample system ({}) {} limit {}").format(
        comma(map(key_text, reading.key)), relation(reading), sql.Literal(percent), _where(reading), sql.Literal(most)
    )


def cuts(reading: Reading, every: int) -> sql.Composed:
    """Ask for each so-manieth integer key, in order."""
    return sql.SQL(
        "select k from (select {0}::int8 as k, row_number() over (order by {0}) as n from {1} {2}) as numbered"
        " where n % {3} = 0 order by k"
    ).format(column(reading.key[0]), relation(reading), _where(reading), int8(every))


def checksums(reading: Reading, grid: Grid, salt: int) -> sql.Composed:
    """Ask for one row a bucket: bucket, number of rows, then the sum of their hashes, or two sums."""
    rows = hashed_rows(reading, grid, salt)
    sums = comma(sql.SQL("sum({})").format(one) for one in rows.hashes)
    return sql.SQL("select {}, count(*), {} from {} {} group by 1").format(
        rows.bucket, sums, rows.relation, rows.where()
    )


def packed(reading: Reading, grid: Grid, buckets: Sequence[int], salt: int) -> sql.Composed:
    """Ask for one row a bucket: bucket, then all its rows, each as the bytes of its id and of its hashes."""
    rows = hashed_rows(reading, grid, salt)
    if not reading.key:
        return _counted(rows, _in_buckets(reading, grid, buckets, rows.bucket))
    piece = sql.SQL(" || ").join(sql.SQL("int8send({})").format(one) for one in (rows.id, *rows.hashes))
    return sql.SQL("select {}, string_agg({}, '') from {} {} group by 1 order by 1").format(
        rows.bucket, piece, rows.relation, rows.where(_in_buckets(reading, grid, buckets, rows.bucket))
    )


def _counted(rows: "HashedRows", condition: sql.Composable) -> sql.Composed:
    """Ask for the different rows of each bucket: bucket, then each row's hashes and how often it is there."""
    piece = sql.SQL(" || ").join(sql.SQL("int8send({})").format(one) for one in (*rows.hashes, sql.SQL("times")))
    return sql.SQL(
        "select bucket, string_agg({}, '') from (select {} as bucket, {}, count(*) as times from {} {} group by {})"
        " as counted group by 1 order by 1"
    ).format(
        piece, rows.bucket, comma(rows.hashes), rows.relation, rows.where(condition), comma((rows.bucket, *rows.hashes))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HashedRows:
    """Is where the rows of a table come from, and what is asked of each."""

    relation: sql.Composable
    bucket: sql.Composable
    id: sql.Composable
    hashes: list[sql.Composable]
    conditions: list[sql.Composable]

    def where(self, *more: sql.Composable) -> sql.Composable:
        """Return the clause that holds for every row, and more."""
        return _all([*self.conditions, *more])


def hashed_rows(reading: Reading, grid: Grid, salt: int) -> HashedRows:
    """Return the rows with their hashes; without a key a row is its own id.

    Such a row is hashed twice, as without a key to seed it the first hash is linear in its columns.
    """
    if reading.key:
        return HashedRows(
            relation=relation(reading),
            bucket=_bucket(reading, grid, salt),
            id=row_id(reading, salt),
            hashes=row_hashes(reading, salt),
            conditions=[*_conditions(reading), *_looked_into(reading, grid, salt)],
        )
    once = hashes_of(reading, [sql.SQL("true"), *values(reading)], int8(salt))
    again = [native_hash([sql.SQL("int8send({})").format(once[0])], int8(salt)), *once[1:]]
    names = [sql.Identifier(f"h{number}") for number in range(len(again))]
    inner = sql.SQL("(select {} from {} {} offset 0) as hashed").format(
        comma(sql.SQL("{} as {}").format(one, name) for one, name in zip(again, names, strict=True)),
        relation(reading),
        _where(reading),
    )
    return HashedRows(relation=inner, bucket=_low_bits(names[0], grid), id=names[0], hashes=list(names), conditions=[])


def row_hashes_of(reading: Reading, keys: Sequence[Key], salt: int) -> sql.Composed:
    """Ask for the rows of these keys: the key as text, and the row's hashes."""
    return sql.SQL("select array[{}], array[{}] from {}").format(
        comma(map(key_text, reading.key)), comma(row_hashes(reading, salt)), _joined(reading, keys)
    )


def keys_of_ids(reading: Reading, ids: Sequence[int], salt: int) -> sql.Composed:
    """Ask for the keys of the rows with these ids: the id, then the key as text."""
    hashed = key_hash(reading, salt)
    return sql.SQL("select {}, {} from {} {}").format(
        hashed,
        comma(map(key_text, reading.key)),
        relation(reading),
        _all([*_conditions(reading), sql.SQL("{} = any({})").format(hashed, array(ids))]),
    )


def column_hashes(reading: Reading, keys: Sequence[Key], salt: int) -> sql.Composed:
    """Ask for the rows of these keys: the key as text, the hash of each column, and its hash under the type's `=`."""
    return sql.SQL("select array[{}], array[{}], array[{}] from {}").format(
        comma(map(key_text, reading.key)),
        comma(column_hash(reading, one, one.form.value, salt) for one in reading.columns),
        comma(column_hash(reading, one, one.form.equal or one.form.value, salt) for one in reading.columns),
        _joined(reading, keys),
    )


def _joined(reading: Reading, keys: Sequence[Key]) -> sql.Composed:
    names = [sql.Identifier("k", f"k{number}") for number in range(len(reading.key))]
    on = [_matches(one, wanted) for one, wanted in zip(reading.key, names, strict=True)]
    return sql.SQL("unnest({}) as k({}) join {} on {} {}").format(
        comma(sql.SQL("{}::text[]").format(sql.Literal([key[n] for key in keys])) for n in range(len(names))),
        comma(sql.Identifier(f"k{number}") for number in range(len(names))),
        relation(reading),
        sql.SQL(" and ").join(on),
        _where(reading),
    )


def _matches(one: ReadColumn, wanted: sql.Composable) -> sql.Composed:
    type_ = one.value_type
    if one.form.conversion or (type_.kind == "base" and type_.name.schema != "pg_catalog"):
        # The type's own `=` lives in a schema that the empty search_path doesn't show.
        return sql.SQL("{} = {}").format(key_text(one), wanted)
    return sql.SQL("{} = {}::{}").format(column(one), wanted, sql.Identifier(*type_.name))


def relation(reading: Reading) -> sql.Composed:
    """Return what rows are read from."""
    only = sql.SQL("" if reading.has_partitions else "only ")
    return sql.SQL("{}{} as t").format(only, sql.Identifier(*reading.table))


def array(numbers: Sequence[int]) -> sql.Composed:
    """Return integers as an array."""
    return sql.SQL("{}::int8[]").format(sql.Literal("{" + ",".join(map(str, numbers)) + "}"))


def _bucket(reading: Reading, grid: Grid, salt: int) -> sql.Composed:
    if not isinstance(grid, RangeGrid):
        return _low_bits(key_hash(reading, salt), grid)
    return sql.SQL("width_bucket({}::int8, {})").format(column(reading.key[0]), array(grid.bounds))


def _low_bits(hashed: sql.Composable, grid: Grid) -> sql.Composed:
    assert not isinstance(grid, RangeGrid)
    return sql.SQL("({} & {})").format(hashed, int8(grid.buckets - 1))


def _looked_into(reading: Reading, grid: Grid, salt: int) -> list[sql.Composable]:
    if isinstance(grid, RangeGrid) or grid.inside is None:
        return []
    buckets, wanted = grid.inside
    outer = _low_bits(key_hash(reading, salt), HashGrid(buckets))
    return [sql.SQL("{} = any({})").format(outer, array(wanted))]


def _in_buckets(reading: Reading, grid: Grid, buckets: Sequence[int], bucket: sql.Composable) -> sql.Composed:
    neighbours = runs(buckets)
    if isinstance(grid, RangeGrid) and len(neighbours) <= MOST_RANGES:
        spans = [_between(reading, grid.span(first, last)) for first, last in neighbours]
        return sql.SQL("({})").format(sql.SQL(" or ").join(_and(span) for span in spans))
    if len(neighbours) == 1:
        return sql.SQL("{} between {} and {}").format(bucket, *map(int8, neighbours[0]))
    return sql.SQL("{} = any({})").format(bucket, array(buckets))


def _conditions(reading: Reading) -> list[sql.Composable]:
    """Return what holds for every row that is read: the user's condition, and the bounds of the span."""
    span = reading.span
    found: list[sql.Composable] = list(_between(reading, span))
    if span.parts > 1:
        part = sql.SQL("({} & {}) = {}").format(key_hash(reading, PART_SEED), int8(span.parts - 1), int8(span.part))
        found.append(part)
    if reading.where:
        found.append(sql.SQL("({})").format(sql.SQL(reading.where)))
    return found


def _between(reading: Reading, span: Span) -> list[sql.Composed]:
    ends = (("{} >= {}", span.low), ("{} < {}", span.high))
    return [sql.SQL(text).format(column(reading.key[0]), int8(end)) for text, end in ends if end is not None]


def _and(conditions: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL("({})").format(sql.SQL(" and ").join(conditions)) if conditions else sql.SQL("true")


def _all(conditions: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL("where {}").format(_and(conditions)) if conditions else sql.Composed([])


def _where(reading: Reading) -> sql.Composable:
    return _all(_conditions(reading))
