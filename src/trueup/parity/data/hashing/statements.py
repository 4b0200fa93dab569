"""The SQL that reads a table in buckets. Does no I/O.

Nothing is passed as a parameter: with none, the driver leaves every `%` of a hostile name alone. The only values in the
texts are integers of ours, bounds of integer keys, and keys, quoted by the driver.
"""

from collections.abc import Iterable, Sequence
from itertools import count as numbers
from typing import LiteralString

from psycopg import sql

from trueup.parity.data.hashing.expressions import (
    NOT_NULL,
    column,
    column_hash,
    comma,
    hashes,
    int8,
    key_hash,
    key_text,
    row_hashes,
    row_id,
    values,
)
from trueup.parity.data.hashing.grid import Grid, HashGrid, StepGrid, runs
from trueup.parity.data.model import Key
from trueup.parity.data.pairing.forms import Template
from trueup.parity.data.pairing.pairs import Floor, ReadColumn, Reading
from trueup.parity.data.pairing.span import Span
from trueup.parity.data.pairing.window import SAMPLE_PARTS

MOST_RANGES = 100
"""Beyond so many, one pass over the table beats an index scan for each."""
PART_SEED = 0
"""Of the hash that cuts a table into parts, which must be the same in every run."""
VERSION = sql.SQL("t.xmin::text::int8")
"""Which transaction wrote a row: another one, whenever it was written again."""
SAMPLE_SEED = 1
"""Of the hash that chooses a sample, the same rows in every run; another, so that each part has its share of them."""


def size(reading: Reading) -> sql.Composed:
    """Ask for the bytes of the table's own file, or of its partitions' together."""
    return sql.SQL(
        "select coalesce(sum(pg_relation_size(relid)), pg_relation_size({name}::regclass))::int8"
        " from pg_partition_tree({name}::regclass)"
    ).format(name=sql.Literal(str(reading.table)))


def correlation(reading: Reading) -> sql.Composed:
    """Ask how far the rows of a table that was analysed lie in the order of its key: from -1 to 1, or NULL."""
    return sql.SQL(
        "select min(abs(correlation)) from pg_stats where schemaname = {} and tablename = {} and attname = {}"
    ).format(*map(sql.Literal, (*reading.table, reading.key[0].name)))


def count(reading: Reading) -> sql.Composed:
    """Ask for the number of rows."""
    return sql.SQL("select count(*) from {} {}").format(relation(reading), _where(reading))


def key_bounds(reading: Reading) -> sql.Composed:
    """Ask for the smallest and the largest integer key: two NULLs where there is no row."""
    key = column(reading.key[0])
    return sql.SQL("select min({0})::int8, max({0})::int8 from {1} {2}").format(key, relation(reading), _where(reading))


def sample(reading: Reading, percent: float, *, rows: float = 1) -> sql.Composed:
    """Ask for the keys, as text, of so many percent of the pages, and of a share of their rows."""
    thinned = [sql.SQL("random() < {}").format(sql.Literal(rows))] if rows < 1 else []
    return sql.SQL("select {} from {} tablesample system ({}) {}").format(
        comma(map(key_text, reading.key)),
        relation(reading),
        sql.Literal(percent),
        _all([*_conditions(reading), *thinned]),
    )


def cuts(reading: Reading, every: int) -> sql.Composed:
    """Ask for each so-manieth integer key, in order."""
    return sql.SQL(
        "select k from (select {0}::int8 as k, row_number() over (order by {0}) as n from {1} {2}) as numbered"
        " where n % {3} = 0 order by k"
    ).format(column(reading.key[0]), relation(reading), _where(reading), int8(every))


def checksums(reading: Reading, grid: Grid, salt: int) -> sql.Composed:
    """Ask for one row a bucket: bucket, number of rows, then the sum of their hashes, or two sums."""
    sums = comma(sql.SQL("sum({})").format(name) for name in _hash_names(reading))
    return sql.SQL("select bucket, count(*), {} from {} group by bucket").format(
        sums, _in_buckets(reading, grid, None, salt)
    )


def packed(reading: Reading, grid: Grid, buckets: Sequence[int], salt: int) -> sql.Composed:
    """Ask for one row a bucket: bucket, then all its rows, each as the bytes of its id and of its hashes.

    Without a key: each different row once, as the bytes of its hashes and of how often it is there.
    """
    names, source = _hash_names(reading), _in_buckets(reading, grid, buckets, salt)
    if reading.key:
        parts = [sql.Identifier("id"), *names]
    else:
        parts = [*names, sql.Identifier("times")]
        source = sql.SQL("(select bucket, {0}, count(*) as times from {1} group by bucket, {0}) as counted").format(
            comma(names), source
        )
    piece = sql.SQL(" || ").join(sql.SQL("int8send({})").format(part) for part in parts)
    return sql.SQL("select bucket, string_agg({}, '') from {} group by bucket order by bucket").format(piece, source)


def _hash_names(reading: Reading) -> list[sql.Identifier]:
    return [sql.Identifier(f"h{number}") for number in range(2 if reading.hashing == "both" else 1)]


def _in_buckets(reading: Reading, grid: Grid, buckets: Sequence[int] | None, salt: int) -> sql.Composed:
    """Return the rows of some buckets, or of all, as a relation: `bucket`, `id` where they have a key, and hashes.

    The fence makes each hash be computed once, and hides from the planner that it might group by as many buckets as
    there are rows. `offset 0` would be one as well, yet is no constant when PostgreSQL decides on parallel workers.
    """
    if not reading.key:
        return _keyless(reading, grid, buckets, salt)
    source, key = (relation(reading), row_id(reading, salt)) if reading.has_integer_key else _identified(reading, salt)
    bucket = _bucket(reading, grid, key)
    columns = [(bucket, sql.Identifier("bucket")), (key, sql.Identifier("id"))]
    columns += zip(row_hashes(reading, salt, key), _hash_names(reading), strict=True)
    conditions = [*(_conditions(reading) if reading.has_integer_key else []), *_looked_into(grid, key)]
    if buckets is not None:
        conditions.append(_chosen(reading, grid, buckets, bucket))
    return fenced(_aliases(columns), source, _all(conditions))


def _identified(reading: Reading, salt: int) -> tuple[sql.Composed, sql.Identifier]:
    """Return the rows that are read as a relation `t` with the hash of their key, computed once, and its name."""
    names = dict.fromkeys(one.name for one in reading.columns)
    id_ = sql.Identifier(next(name for number in numbers() if (name := f"trueup id {number}") not in names))
    columns = comma([*(sql.Identifier("t", name) for name in names), _aliases([(row_id(reading, salt), id_)])])
    return fenced(columns, relation(reading), _where(reading), name="t"), id_


def _keyless(reading: Reading, grid: Grid, buckets: Sequence[int] | None, salt: int) -> sql.Composed:
    names = _hash_names(reading)
    bucket = _low_bits(names[0], grid)
    chosen = [] if buckets is None else [_chosen(reading, grid, buckets, bucket)]
    return fenced(comma([sql.SQL("{} as bucket").format(bucket), *names]), _hashed_twice(reading, salt), _all(chosen))


def _hashed_twice(reading: Reading, salt: int) -> sql.Composed:
    """Return the rows as hashes and versions; without a key to seed it, the first hash is linear in its columns."""
    names, version = _hash_names(reading), sql.Identifier("version")
    first, *others = hashes(reading, [NOT_NULL, *values(reading)], int8(salt))
    columns = zip([first, *others, VERSION], [*names, version], strict=True)
    once = fenced(_aliases(columns), relation(reading), _where(reading))
    twice = hashes(reading, [sql.SQL("int8send({})").format(names[0])], int8(salt))[0]
    return fenced(comma([sql.SQL("{} as {}").format(twice, names[0]), *names[1:], version]), once, sql.Composed([]))


def fenced(
    columns: sql.Composable, source: sql.Composable, where: sql.Composable, *, name: LiteralString = "hashed"
) -> sql.Composed:
    """Return a subquery that is planned on its own, and still by parallel workers."""
    return sql.SQL("(select {} from {} {} offset '0'::int8) as {}").format(columns, source, where, sql.SQL(name))


def _aliases(columns: Iterable[tuple[sql.Composable, sql.Composable]]) -> sql.Composed:
    return comma(sql.SQL("{} as {}").format(value, name) for value, name in columns)


def row_hashes_of(reading: Reading, keys: Sequence[Key], salt: int) -> sql.Composed:
    """Ask for the rows of these keys: the key as text, and the row's hashes."""
    return sql.SQL("select array[{}], array[{}] from {}").format(
        comma(map(key_text, reading.key)), comma(row_hashes(reading, salt)), joined(reading, keys)
    )


def rows_of_keys(reading: Reading, keys: Sequence[Key], salt: int) -> sql.Composed:
    """Ask for the rows of these keys: the key as text, the row's hashes, 1, and which transaction wrote it."""
    return sql.SQL("select array[{}], array[{}], 1, {} from {}").format(
        comma(map(key_text, reading.key)), comma(row_hashes(reading, salt)), VERSION, joined(reading, keys)
    )


def rows_of_hashes(reading: Reading, keys: Sequence[Key], salt: int) -> sql.Composed:
    """Ask for the rows that are named by their hashes, as rows_of_keys gives them, each different one once."""
    names, first = comma(_hash_names(reading)), _hash_names(reading)[0]
    return sql.SQL(
        "select array[lpad(to_hex({0}), 16, '0')], array[{1}], count(*), sum(version) from {2} where {0} = any({3})"
        " group by {1}"
    ).format(first, names, _hashed_twice(reading, salt), array([id_of_hash(key) for key in keys]))


def id_of_hash(key: Key) -> int:
    """Return the 64 bits that name a row without a key."""
    number = int(key[0] or "", 16)
    return number - 2**64 if number >= 2**63 else number


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
        comma(column_hash(reading, one, _as_equal(reading, one), salt) for one in reading.columns),
        joined(reading, keys),
    )


def _as_equal(reading: Reading, one: ReadColumn) -> Template:
    """Return the form that is the same for equal values; where the servers' own hashes are not to be had, its value."""
    return one.form.value if reading.hashing == "text" else one.form.equal or one.form.value


def joined(reading: Reading, keys: Sequence[Key]) -> sql.Composed:
    """Return the rows of these keys as a relation `t`; a key that is not there has none."""
    parts = range(len(reading.key))
    # No name that a column of the table may have: the user's condition names those without a prefix.
    names = [sql.Identifier("trueup key", f"trueup key {number}") for number in parts]
    on = [
        _matches(one, wanted, may_be_null=any(key[number] is None for key in keys))
        for number, one, wanted in zip(parts, reading.key, names, strict=True)
    ]
    return sql.SQL("unnest({}) as {}({}) join {} on {} {}").format(
        comma(sql.SQL("{}::text[]").format(sql.Literal([key[number] for key in keys])) for number in parts),
        sql.Identifier("trueup key"),
        comma(sql.Identifier(f"trueup key {number}") for number in parts),
        relation(reading),
        sql.SQL(" and ").join(on),
        _where(reading),
    )


def _matches(one: ReadColumn, wanted: sql.Composable, *, may_be_null: bool) -> sql.Composed:
    equal = _equals(one, wanted)
    if not may_be_null:
        return equal
    return sql.SQL("({} or ({} is null and {} is null))").format(equal, column(one), wanted)


def _equals(one: ReadColumn, wanted: sql.Composable) -> sql.Composed:
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


def _bucket(reading: Reading, grid: Grid, key: sql.Composable) -> sql.Composed:
    if isinstance(grid, HashGrid):
        return _low_bits(key, grid)
    if isinstance(grid, StepGrid):
        return sql.SQL("({}::int8 >> {})").format(column(reading.key[0]), sql.Literal(grid.shift))
    return sql.SQL("width_bucket({}::int8, {})::int8").format(column(reading.key[0]), array(grid.bounds))


def _low_bits(hashed: sql.Composable, grid: Grid) -> sql.Composed:
    assert isinstance(grid, HashGrid)
    return sql.SQL("({} & {})").format(hashed, int8(grid.buckets - 1))


def _looked_into(grid: Grid, key: sql.Composable) -> list[sql.Composable]:
    if not isinstance(grid, HashGrid) or grid.inside is None:
        return []
    buckets, wanted = grid.inside
    outer = _low_bits(key, HashGrid(buckets))
    return [sql.SQL("{} = any({})").format(outer, array(wanted))]


def _chosen(reading: Reading, grid: Grid, buckets: Sequence[int], bucket: sql.Composable) -> sql.Composed:
    neighbours = runs(buckets)
    if not isinstance(grid, HashGrid) and len(neighbours) <= MOST_RANGES:
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
    return found + _wanted(reading)


def _wanted(reading: Reading) -> list[sql.Composable]:
    """Return what the user leaves of the rows."""
    # The newline ends a comment.
    found: list[sql.Composable] = [sql.SQL("({}\n)").format(sql.SQL(one)) for one in reading.where]
    if reading.since:
        found.append(_from(reading.since))
    if reading.sample_parts is not None:
        number = hashes(reading, values(reading), int8(SAMPLE_SEED))[0]
        if reading.key:
            number = key_hash(reading, SAMPLE_SEED)
        limit = int8(reading.sample_parts)
        found.append(sql.SQL("({} & {}) < {}").format(number, int8(SAMPLE_PARTS - 1), limit))
    return found


def _from(since: Floor) -> sql.Composed:
    # No collation of either server, so that both have the same rows.
    order = sql.SQL(' collate "C"' if since.column.value_type.category == "S" else "")
    return sql.SQL("{}{} >= {}").format(column(since.column), order, sql.Literal(since.value))


def admission(reading: Reading) -> sql.Composed:
    """Ask for nothing, so that the server says whether what the user wants of the rows is boolean SQL.

    As arguments of a function: a text that is a condition only between parentheses of ours is none.
    """
    conditions = [sql.SQL("booland_statefunc({}\n, true)").format(sql.SQL(one)) for one in reading.where]
    if reading.since:
        conditions.append(_from(reading.since))
    return sql.SQL("select 1 from {} {} limit 0").format(relation(reading), _all(conditions))


def estimate(reading: Reading) -> sql.Composed:
    """Ask the planner how many rows there are: one JSON document."""
    return sql.SQL("explain (format json) select 1 from {}").format(relation(reading))


def _between(reading: Reading, span: Span) -> list[sql.Composed]:
    ends = (("{} >= {}", span.low), ("{} < {}", span.high))
    return [sql.SQL(text).format(column(reading.key[0]), int8(end)) for text, end in ends if end is not None]


def _and(conditions: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL("({})").format(sql.SQL(" and ").join(conditions)) if conditions else sql.SQL("true")


def _all(conditions: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL("where {}").format(_and(conditions)) if conditions else sql.Composed([])


def _where(reading: Reading) -> sql.Composable:
    return _all(_conditions(reading))
