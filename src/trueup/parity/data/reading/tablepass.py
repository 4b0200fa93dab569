"""Holds one table of both sides against each other, from the whole down to the rows that differ."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from psycopg import sql

from trueup.parity.data.hashing import looks, passes
from trueup.parity.data.hashing.grid import Grid, HashGrid, RangeGrid
from trueup.parity.data.hashing.rows import column_hashes, keys_of_ids
from trueup.parity.data.model import ChangedRow, Key
from trueup.parity.data.pairing.pairs import Reading, TablePair
from trueup.parity.data.reading.buckets import side_by_side
from trueup.parity.data.reading.differences import Differences, Hashes, changed_row
from trueup.parity.data.reading.survey import DENSE_BUCKETS_AT_ONCE, Survey
from trueup.parity.data.sides.lockstep import Lockstep

MOST_ROWS_HELD = 65_536
"""Of a bucket on one side; a fuller one is cut again, where its key can be."""
KEYS_AT_ONCE = 1_000
ROWS_AT_ONCE = 2_000_000
"""Of both sides, whose hashes a query gathers in the memory of its server."""

Query = Callable[[Reading], sql.Composed]
Answer = list[tuple[Any, ...]]
Checksums = Mapping[int, tuple[Any, ...]]
"""Of each bucket: number of rows, then the sums of their hashes."""


class TablePass:
    """Is the comparison of one table; its salt makes hashes that no other run has."""

    def __init__(self, both: Lockstep, pair: TablePair, *, salt: int, max_rows: int) -> None:
        self._both, self._pair, self._salt = both, pair, salt
        self.found = Differences(
            limit=max_rows, hashes=2 if pair.source.hashing == "both" else 1, has_counts=not pair.source.key
        )

    def run(self, survey: Survey) -> tuple[int, int]:
        """Gather all differences; return how many rows each side has."""
        if survey.is_dense:
            self._gather_all(survey.grid)
            rows = self.found.source_rows, self.found.target_rows
        else:
            rows = self._descend(self._pair, survey.grid)
        self.found.trim()
        return rows

    def keys(self) -> tuple[tuple[Key, ...], ...]:
        """Return the keys that are listed: missing, extra, changed."""
        kinds = (self.found.missing, self.found.extra, self.found.changed)
        missing, extra, changed = ([int.from_bytes(one, signed=True) for one in kind.ids] for kind in kinds)
        names = self._names(missing + changed, extra)
        as_integers = self._pair.source.has_integer_key
        return tuple(in_order(map(names, ids), as_integers=as_integers) for ids in (missing, extra, changed))

    def changed_rows(self, keys: Sequence[Key]) -> tuple[ChangedRow, ...]:
        """Return these rows with the columns that make the difference."""
        found: list[ChangedRow] = []
        for start in range(0, len(keys), KEYS_AT_ONCE):
            some = keys[start : start + KEYS_AT_ONCE]
            source, target = map(_hashes_by_key, self._ask(self._pair.whole, self._column_hashes_of(some)))
            found += (changed_row(key, self._pair.names, source[key], target[key]) for key in some)
        return tuple(found)

    def _descend(self, pair: TablePair, grid: Grid, *, is_cut: bool = False) -> tuple[int, int]:
        """Gather the rows of the buckets that differ, those too full to be held after a cut; return how many there are.

        A bucket is cut once: ranges between keys that were counted, or hashes a thousand times finer.
        """
        source, target = self._checksums(pair, grid)
        sizes = {
            bucket: (_size(source, bucket), _size(target, bucket))
            for bucket in sorted(source.keys() | target.keys())
            if source.get(bucket) != target.get(bucket)
        }
        full = [] if is_cut else [bucket for bucket, rows in sizes.items() if max(rows) > MOST_ROWS_HELD]
        for inner, cut in self._cut(pair, grid, full):
            self._descend(inner, cut, is_cut=True)
        for batch in batches({bucket: sum(rows) for bucket, rows in sizes.items() if bucket not in full}):
            self._gather(pair, grid, batch)
        return _rows_of(source), _rows_of(target)

    def _cut(self, pair: TablePair, grid: Grid, buckets: Sequence[int]) -> Iterator[tuple[TablePair, Grid]]:
        if isinstance(grid, HashGrid):
            if buckets and pair.source.key:
                yield pair, grid.within(buckets)
            return
        for bucket in buckets:
            inner = pair.within(grid.span(bucket, bucket).inside(pair.source.span))
            answers = self._ask(inner, lambda reading: looks.cuts(reading, max(1, MOST_ROWS_HELD // 16)))
            yield inner, RangeGrid(tuple(sorted({bound for answer in answers for (bound,) in answer})))

    def _gather_all(self, grid: Grid) -> None:
        for first in range(0, len(grid.numbers), DENSE_BUCKETS_AT_ONCE):
            self._gather(self._pair, grid, grid.numbers[first : first + DENSE_BUCKETS_AT_ONCE])

    def _gather(self, pair: TablePair, grid: Grid, buckets: Sequence[int]) -> None:
        source, target = (passes.packed(reading, grid, buckets, self._salt) for reading in (pair.source, pair.target))
        for rows in side_by_side(self._both, source, target):
            self.found.add(*rows)

    def _checksums(self, pair: TablePair, grid: Grid) -> tuple[Checksums, Checksums]:
        source, target = self._ask(pair, lambda reading: passes.checksums(reading, grid, self._salt))
        return _by_bucket(source), _by_bucket(target)

    def _names(self, in_source: list[int], in_target: list[int]) -> Callable[[int], Key]:
        if self._pair.source.has_integer_key:
            return lambda id_: (str(id_),)
        if not self._pair.source.key:
            return lambda id_: (f"{id_ % 2**64:016x}",)
        known: dict[int, Key] = {}
        for answer in self._both.run(
            lambda source: source.rows(keys_of_ids(self._pair.source, in_source, self._salt)),
            lambda target: target.rows(keys_of_ids(self._pair.target, in_target, self._salt)),
        ):
            known.update((id_, tuple(key)) for id_, *key in answer)
        return known.__getitem__

    def _column_hashes_of(self, keys: Sequence[Key]) -> Query:
        return lambda reading: column_hashes(reading, keys, self._salt)

    def _ask(self, pair: TablePair, query: Query) -> tuple[Answer, Answer]:
        return self._both.run(
            lambda source: source.rows(query(pair.source)), lambda target: target.rows(query(pair.target))
        )


def batches(sizes: Mapping[int, int]) -> Iterator[list[int]]:
    """Yield buckets in their order, together as many as hold ROWS_AT_ONCE rows, and at least one."""
    batch: list[int] = []
    rows = 0
    for bucket, size in sizes.items():
        if batch and rows + size > ROWS_AT_ONCE:
            yield batch
            batch, rows = [], 0
        batch.append(bucket)
        rows += size
    if batch:
        yield batch


def in_order(keys: Iterable[Key], *, as_integers: bool) -> tuple[Key, ...]:
    """Return keys sorted, as numbers or as text."""
    if as_integers:
        return tuple(sorted(keys, key=lambda key: int(key[0] or 0)))
    return tuple(sorted(keys, key=lambda key: tuple((part is not None, part or "") for part in key)))


def _by_bucket(answer: Answer) -> Checksums:
    return {bucket: tuple(sums) for bucket, *sums in answer}


def _rows_of(sums: Checksums) -> int:
    return sum(rows for rows, *_ in sums.values())


def _size(sums: Checksums, bucket: int) -> int:
    return int(sums[bucket][0]) if bucket in sums else 0


def _hashes_by_key(rows: Answer) -> Mapping[Key, list[Hashes]]:
    found: defaultdict[Key, list[Hashes]] = defaultdict(list)
    for key, values, equals in rows:
        found[tuple(key)].append((values, equals))
    return found
