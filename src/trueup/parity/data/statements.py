"""The SQL that reads a table in buckets. Does no I/O.

Nothing is passed as a parameter: with none, the driver leaves every `%` of a hostile name alone. The only values in the
texts are integers of ours, bounds of integer keys, and keys, quoted by the driver.
"""

from collections.abc import Iterable, Sequence

from psycopg import sql

from trueup.parity.data.forms import Template
from trueup.parity.data.grid import Grid, RangeGrid
from trueup.parity.data.model import Key
from trueup.parity.data.pairing import Reading
from trueup.parity.schema import ValueType

MOST_RANGES = 100
"""Beyond so many, one pass over the table beats an index scan for each."""


def size(reading: Reading) -> sql.Composed:
    """Ask for the bytes of the table's own file, or of its partitions' together."""
    return sql.SQL(
        "select coalesce(sum(pg_relation_size(relid)), pg_relation_size({name}::regclass))::int8"
        " from pg_partition_tree({name}::regclass)"
    ).format(name=sql.Literal(str(reading.table)))


def count(reading: Reading) -> sql.Composed:
    """Ask for the number of rows."""
    return sql.SQL("select count(*) from {}").format(_relation(reading))


def key_bounds(reading: Reading) -> sql.Composed:
    """Ask for the smallest and the largest integer key: two NULLs where there is no row."""
    key = _column(reading.key[0])
    return sql.SQL("select min({0})::int8, max({0})::int8 from {1}").format(key, _relation(reading))


def checksums(reading: Reading, grid: Grid, salt: int) -> sql.Composed:
    """Ask for one row a bucket: bucket, number of rows, sum of their hashes."""
    if not reading.key:
        return sql.SQL("select {}, count(*), sum(h) from {} group by 1").format(
            _bucket_of(sql.SQL("h"), grid), _hashed_rows(reading, salt)
        )
    return sql.SQL("select {}, count(*), sum({}) from {} {} group by 1").format(
        _bucket(reading, grid, salt), _row_hash(reading, salt), _relation(reading), _within(reading, grid)
    )


def rows(reading: Reading, grid: Grid, buckets: Sequence[int], salt: int) -> sql.Composed:
    """Ask for every row of the buckets: bucket, how often, hash, then the key as text; sorted by bucket."""
    if not reading.key:
        bucket = _bucket_of(sql.SQL("h"), grid)
        return sql.SQL(
            "select {0}, count(*), h, lpad(to_hex(h), 16, '0') from {1} where {0} = any({2}) group by h order by 1"
        ).format(bucket, _hashed_rows(reading, salt), _array(buckets))
    return sql.SQL("select {}, 1, {}, {} from {} {} order by 1").format(
        _bucket(reading, grid, salt),
        _row_hash(reading, salt),
        _comma(_key_text(reading, name) for name in reading.key),
        _relation(reading),
        _in_buckets(reading, grid, buckets, salt),
    )


def column_hashes(reading: Reading, keys: Sequence[Key], salt: int) -> sql.Composed:
    """Ask for the rows of these keys: the key as text, the hash of each column, and its hash under the type's `=`."""
    names = [sql.Identifier("k", f"k{number}") for number in range(len(reading.key))]
    on = [
        _matches(reading, name, type_, wanted)
        for name, type_, wanted in zip(reading.key, reading.key_types, names, strict=True)
    ]
    return sql.SQL("select array[{}], array[{}], array[{}] from unnest({}) as k({}) join {} on {}").format(
        _comma(_key_text(reading, name) for name in reading.key),
        _comma(_hash([_value(reading, name, form.value)], salt) for name, form in reading.forms.items()),
        _comma(_hash([_value(reading, name, form.equal or form.value)], salt) for name, form in reading.forms.items()),
        _comma(sql.SQL("{}::text[]").format(sql.Literal([key[n] for key in keys])) for n in range(len(names))),
        _comma(sql.Identifier(f"k{number}") for number in range(len(names))),
        _relation(reading),
        sql.SQL(" and ").join(on),
    )


def _matches(reading: Reading, name: str, type_: ValueType, wanted: sql.Composable) -> sql.Composed:
    if type_.kind == "base" and type_.name.schema != "pg_catalog":
        # Its `=` lives in a schema that the empty search_path doesn't show.
        return sql.SQL("{} = {}").format(_key_text(reading, name), wanted)
    return sql.SQL("{} = {}::{}").format(_column(name), wanted, sql.Identifier(*type_.name))


def _relation(reading: Reading) -> sql.Composed:
    only = sql.SQL("" if reading.has_partitions else "only ")
    return sql.SQL("{}{} as t").format(only, sql.Identifier(*reading.table))


def _column(name: str) -> sql.Identifier:
    return sql.Identifier("t", name)


def _int8(number: int) -> sql.Composed:
    # Quoted: the minus of a bare -9223372036854775808 would be applied after the cast, which overflows.
    return sql.SQL("{}::int8").format(sql.Literal(str(number)))


def _comma(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)


def _array(numbers: Sequence[int]) -> sql.Composed:
    return sql.SQL("{}::int8[]").format(sql.Literal("{" + ",".join(map(str, numbers)) + "}"))


def _value(reading: Reading, name: str, template: Template) -> sql.Composed:
    value = sql.SQL(template).format(_column(name))
    is_text = template.endswith('collate "C"')
    return sql.SQL("convert_to({}, 'UTF8')").format(value) if is_text and reading.to_utf8 else value


def _key_text(reading: Reading, name: str) -> sql.Composed:
    return sql.SQL(reading.forms[name].key).format(_column(name))


def _hash(values: Iterable[sql.Composable], seed: int | sql.Composable) -> sql.Composed:
    seeded = seed if isinstance(seed, sql.Composable) else _int8(seed)
    return sql.SQL("hash_record_extended(row({}), {})").format(_comma(values), seeded)


def _values(reading: Reading) -> list[sql.Composed]:
    return [_value(reading, name, form.value) for name, form in reading.forms.items()]


def _key_hash(reading: Reading, salt: int) -> sql.Composed:
    return _hash([_value(reading, name, reading.forms[name].identity) for name in reading.key], salt)


def _row_hash(reading: Reading, salt: int) -> sql.Composed:
    """Hash all columns, seeded by the key: values that change places between two rows can't cancel in the sum."""
    if reading.has_integer_key:
        seed = sql.SQL("({}::int8 # {})").format(_column(reading.key[0]), _int8(salt))
        return _hash(_values(reading), seed)
    return _hash(_values(reading), _key_hash(reading, salt))


def _hashed_rows(reading: Reading, salt: int) -> sql.Composed:
    """Hash each row twice, as without a key to seed it the first hash is linear in its columns; compute it once."""
    once = _hash(_values(reading), salt)
    twice = _hash([sql.SQL("int8send({})").format(once)], salt)
    return sql.SQL("(select {} as h from {} offset 0) as hashed").format(twice, _relation(reading))


def _bucket_of(hashed: sql.Composable, grid: Grid) -> sql.Composed:
    assert not isinstance(grid, RangeGrid)
    return sql.SQL("({} & {})").format(hashed, _int8(grid.buckets - 1))


def _bucket(reading: Reading, grid: Grid, salt: int) -> sql.Composed:
    if isinstance(grid, RangeGrid):
        return sql.SQL("({}::int8 / {})").format(_column(reading.key[0]), _int8(grid.step))
    return _bucket_of(_key_hash(reading, salt), grid)


def _within(reading: Reading, grid: Grid) -> sql.Composed:
    if isinstance(grid, RangeGrid):
        return sql.SQL("where {}").format(_between(reading, grid.low, grid.high))
    return sql.Composed([])


def _between(reading: Reading, low: int, high: int) -> sql.Composed:
    return sql.SQL("({0} >= {1} and {0} <= {2})").format(_column(reading.key[0]), _int8(low), _int8(high))


def _in_buckets(reading: Reading, grid: Grid, buckets: Sequence[int], salt: int) -> sql.Composed:
    if isinstance(grid, RangeGrid) and len(buckets) <= MOST_RANGES:
        ranges = [_between(reading, *grid.bounds(bucket)) for bucket in buckets]
        return sql.SQL("where {}").format(sql.SQL(" or ").join(ranges))
    return sql.SQL("where {} = any({})").format(_bucket(reading, grid, salt), _array(buckets))
