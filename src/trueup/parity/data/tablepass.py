"""Holds one table of both sides against each other, from the whole down to the rows that differ."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from psycopg import sql

from trueup.parity.data import statements
from trueup.parity.data.buckets import side_by_side
from trueup.parity.data.differences import Differences, Hashes, changed_row
from trueup.parity.data.grid import Grid, HashGrid, RangeGrid, bucket_count, range_grid
from trueup.parity.data.lockstep import Lockstep
from trueup.parity.data.model import ChangedRow, Key
from trueup.parity.data.pairing import Reading, TablePair

MOST_ROWS_HELD = 65_536
"""Of a bucket on one side; a fuller one is cut again, where its key can be."""
KEYS_AT_ONCE = 1_000

Query = Callable[[Reading], sql.Composed]
Answer = list[tuple[Any, ...]]
Checksums = Mapping[int, tuple[int, Any]]
"""Of each bucket: number of rows, sum of their hashes."""


class TablePass:
    """Is the comparison of one table; its salt makes hashes that no other run has."""

    def __init__(self, both: Lockstep, pair: TablePair, *, salt: int, max_rows: int) -> None:
        self._both, self._pair, self._salt = both, pair, salt
        self._found = Differences(limit=max_rows)

    def run(self) -> tuple[Differences, tuple[int, int]]:
        """Return all differences, and how many rows each side has."""
        grid = self._first_grid()
        source, target = self._checksums(grid)
        self._descend(grid, source, target)
        self._found.trim()
        return self._found, (_rows_of(source), _rows_of(target))

    def changed_rows(self, keys: Sequence[Key]) -> tuple[ChangedRow, ...]:
        """Return these rows with the columns that make the difference."""
        names = tuple(self._pair.source.forms)
        found: list[ChangedRow] = []
        for start in range(0, len(keys), KEYS_AT_ONCE):
            some = keys[start : start + KEYS_AT_ONCE]
            source, target = map(_hashes_by_key, self._ask(self._column_hashes_of(some)))
            found += (changed_row(key, names, source[key], target[key]) for key in some)
        return tuple(found)

    def _first_grid(self) -> Grid:
        [(source_bytes,)], [(target_bytes,)] = self._ask(statements.size)
        buckets = bucket_count(max(source_bytes, target_bytes))
        if not self._pair.source.has_integer_key:
            return HashGrid(buckets)
        bounds = [bound for answer in self._ask(statements.key_bounds) for bound in answer[0] if bound is not None]
        return range_grid(min(bounds, default=0), max(bounds, default=0), buckets=buckets)

    def _descend(self, grid: Grid, source: Checksums, target: Checksums) -> None:
        """Gather the rows of the buckets that differ; those too full to be held are cut again first."""
        differing = sorted(
            bucket for bucket in source.keys() | target.keys() if source.get(bucket) != target.get(bucket)
        )
        full: list[int] = []
        if isinstance(grid, RangeGrid) and not grid.is_finest:
            full = [one for one in differing if max(_size(source, one), _size(target, one)) > MOST_ROWS_HELD]
            for bucket in full:
                inner = grid.inside(bucket)
                self._descend(inner, *self._checksums(inner))
        self._gather(grid, sorted(set(differing) - set(full)))

    def _gather(self, grid: Grid, buckets: Sequence[int]) -> None:
        if not buckets:
            return
        source, target = (
            statements.rows(reading, grid, buckets, self._salt) for reading in (self._pair.source, self._pair.target)
        )
        for rows in side_by_side(self._both, source, target):
            self._found.add(*rows)

    def _checksums(self, grid: Grid) -> tuple[Checksums, Checksums]:
        source, target = self._ask(lambda reading: statements.checksums(reading, grid, self._salt))
        return _by_bucket(source), _by_bucket(target)

    def _column_hashes_of(self, keys: Sequence[Key]) -> Query:
        return lambda reading: statements.column_hashes(reading, keys, self._salt)

    def _ask(self, query: Query) -> tuple[Answer, Answer]:
        return self._both.run(
            lambda source: source.rows(query(self._pair.source)), lambda target: target.rows(query(self._pair.target))
        )


def in_order(keys: Iterable[Key], *, as_integers: bool) -> tuple[Key, ...]:
    """Return keys sorted, as numbers or as text."""
    if as_integers:
        return tuple(sorted(keys, key=lambda key: int(key[0] or 0)))
    return tuple(sorted(keys, key=lambda key: tuple((part is not None, part or "") for part in key)))


def _by_bucket(answer: Answer) -> Checksums:
    return {bucket: (rows, total) for bucket, rows, total in answer}


def _rows_of(sums: Checksums) -> int:
    return sum(rows for rows, _ in sums.values())


def _size(sums: Checksums, bucket: int) -> int:
    return sums[bucket][0] if bucket in sums else 0


def _hashes_by_key(rows: Answer) -> Mapping[Key, list[Hashes]]:
    found: defaultdict[Key, list[Hashes]] = defaultdict(list)
    for key, values, equals in rows:
        found[tuple(key)].append((values, equals))
    return found
