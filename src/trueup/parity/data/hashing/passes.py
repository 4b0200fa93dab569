"""The SQL that reads a table in buckets: what each sums up to, or all its rows as hashes. Does no I/O."""

from collections.abc import Iterable, Sequence
from itertools import count as numbers
from typing import LiteralString

from psycopg import sql

from trueup.parity.data.hashing.expressions import (
    NOT_NULL,
    array,
    column,
    comma,
    hashes,
    int8,
    row_hashes,
    row_id,
    values,
)
from trueup.parity.data.hashing.grid import Grid, HashGrid, StepGrid, runs
from trueup.parity.data.hashing.selection import between, conditions, conjunction, relation, where, where_all
from trueup.parity.data.pairing.pairs import Reading

MOST_RANGES = 100
"""Beyond so many, one pass over the table beats an index scan for each."""
VERSION = sql.SQL("t.xmin::text::int8")
"""Which transaction wrote a row: another one, whenever it was written again."""


def checksums(reading: Reading, grid: Grid, salt: int) -> sql.Composed:
    """Ask for one row a bucket: bucket, number of rows, then the sum of their hashes, or two sums."""
    sums = comma(sql.SQL("sum({})").format(name) for name in hash_names(reading))
    return sql.SQL("select bucket, count(*), {} from {} group by bucket").format(
        sums, _in_buckets(reading, grid, None, salt)
    )


def packed(reading: Reading, grid: Grid, buckets: Sequence[int], salt: int) -> sql.Composed:
    """Ask for one row a bucket: bucket, then all its rows, each as the bytes of its id and of its hashes.

    Without a key: each different row once, as the bytes of its hashes and of how often it is there.
    """
    names, source = hash_names(reading), _in_buckets(reading, grid, buckets, salt)
    if reading.key:
        parts = [sql.Identifier("id"), *names]
    else:
        parts = [*names, sql.Identifier("times")]
        source = sql.SQL("(select bucket, {0}, count(*) as times from {1} group by bucket, {0}) as counted").format(
            comma(names), source
        )
    piece = sql.SQL(" || ").join(sql.SQL("int8send({})").format(part) for part in parts)
    return sql.SQL("select bucket, string_agg({}, '') from {} group by bucket order by bucket").format(piece, source)


def hash_names(reading: Reading) -> list[sql.Identifier]:
    """Return what the hashes of a row are called."""
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
    columns += zip(row_hashes(reading, salt, key), hash_names(reading), strict=True)
    held = [*(conditions(reading) if reading.has_integer_key else []), *_looked_into(grid, key)]
    if buckets is not None:
        held.append(_chosen(reading, grid, buckets, bucket))
    return fenced(_aliases(columns), source, where_all(held))


def _identified(reading: Reading, salt: int) -> tuple[sql.Composed, sql.Identifier]:
    """Return the rows that are read as a relation `t` with the hash of their key, computed once, and its name."""
    names = dict.fromkeys(one.name for one in reading.columns)
    id_ = sql.Identifier(next(name for number in numbers() if (name := f"trueup id {number}") not in names))
    columns = comma([*(sql.Identifier("t", name) for name in names), _aliases([(row_id(reading, salt), id_)])])
    return fenced(columns, relation(reading), where(reading), name="t"), id_


def _keyless(reading: Reading, grid: Grid, buckets: Sequence[int] | None, salt: int) -> sql.Composed:
    names = hash_names(reading)
    bucket = _low_bits(names[0], grid)
    chosen = [] if buckets is None else [_chosen(reading, grid, buckets, bucket)]
    return fenced(
        comma([sql.SQL("{} as bucket").format(bucket), *names]), hashed_twice(reading, salt), where_all(chosen)
    )


def hashed_twice(reading: Reading, salt: int) -> sql.Composed:
    """Return the rows as hashes and versions; without a key to seed it, the first hash is linear in its columns."""
    names, version = hash_names(reading), sql.Identifier("version")
    first, *others = hashes(reading, [NOT_NULL, *values(reading)], int8(salt))
    columns = zip([first, *others, VERSION], [*names, version], strict=True)
    once = fenced(_aliases(columns), relation(reading), where(reading))
    twice = hashes(reading, [sql.SQL("int8send({})").format(names[0])], int8(salt))[0]
    return fenced(comma([sql.SQL("{} as {}").format(twice, names[0]), *names[1:], version]), once, sql.Composed([]))


def fenced(
    columns: sql.Composable, source: sql.Composable, where: sql.Composable, *, name: LiteralString = "hashed"
) -> sql.Composed:
    """Return a subquery that is planned on its own, and still by parallel workers."""
    return sql.SQL("(select {} from {} {} offset '0'::int8) as {}").format(columns, source, where, sql.SQL(name))


def _aliases(columns: Iterable[tuple[sql.Composable, sql.Composable]]) -> sql.Composed:
    return comma(sql.SQL("{} as {}").format(value, name) for value, name in columns)


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
        spans = [between(reading, grid.span(first, last)) for first, last in neighbours]
        return sql.SQL("({})").format(sql.SQL(" or ").join(conjunction(span) for span in spans))
    if len(neighbours) == 1:
        return sql.SQL("{} between {} and {}").format(bucket, *map(int8, neighbours[0]))
    return sql.SQL("{} = any({})").format(bucket, array(buckets))
