"""Reads the rows of buckets on both sides, one bucket of each at a time."""

from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing
from functools import partial
from itertools import groupby
from operator import itemgetter

from psycopg import capabilities, sql

from trueup.db import Snapshot, named_errors
from trueup.parity.data.differences import Entry
from trueup.parity.data.lockstep import Lockstep

CHUNK_ROWS = 1_000

Bucket = tuple[int, Counter[Entry]]


def side_by_side(
    both: Lockstep, source: sql.Composed, target: sql.Composed
) -> Iterator[tuple[Counter[Entry], Counter[Entry]]]:
    """Yield the rows of each bucket that either side has, from queries sorted by bucket."""
    with closing(_stream(both.source, source)) as here, closing(_stream(both.target, target)) as there:
        left, right = both.run(lambda _: next(here, None), lambda _: next(there, None))
        while left or right:
            first = min(head[0] for head in (left, right) if head)
            is_left, is_right = bool(left and left[0] == first), bool(right and right[0] == first)
            yield left[1] if left and is_left else Counter(), right[1] if right and is_right else Counter()
            left, right = both.run(partial(_advance, here, left, is_left), partial(_advance, there, right, is_right))


def _advance(stream: Iterator[Bucket], head: Bucket | None, is_used: bool, _: Snapshot) -> Bucket | None:  # noqa: FBT001
    return next(stream, None) if is_used else head


def _stream(snapshot: Snapshot, query: sql.Composed) -> Generator[Bucket]:
    chunk = CHUNK_ROWS if capabilities.has_stream_chunked() else 1
    with named_errors(snapshot.conninfo), snapshot.connection.cursor() as cursor:
        for bucket, rows in groupby(cursor.stream(query, size=chunk), key=itemgetter(0)):
            entries: Counter[Entry] = Counter()
            for _, times, row_hash, *key in rows:
                entries[tuple(key), row_hash] += times
            yield bucket, entries
