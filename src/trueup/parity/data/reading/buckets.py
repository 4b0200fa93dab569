"""Reads the rows of buckets on both sides, a few buckets of each at a time."""

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing

from psycopg import capabilities, sql

from trueup.db import Snapshot, named_errors
from trueup.parity.data.sides.lockstep import Lockstep

BUCKETS_AT_ONCE = 4
BYTES_AT_ONCE = 500_000
"""That a side sends before the other's are waited for."""

Bucket = tuple[int, bytes]


class Feed:
    """Is what one side sends: buckets in order, and how far they were used."""

    def __init__(self, snapshot: Snapshot, query: sql.Composed) -> None:
        self.stream = _stream(snapshot, query)
        self._waiting: deque[Bucket] = deque()
        self._is_over = False

    @property
    def head(self) -> int | None:
        """Return the number of the next bucket; None where there is none."""
        return self._waiting[0][0] if self._waiting else None

    def fill(self, _: Snapshot) -> None:
        """Read on where nothing waits."""
        if self._waiting:
            return
        read = 0
        while read < BYTES_AT_ONCE and (bucket := next(self.stream, None)):
            self._waiting.append(bucket)
            read += len(bucket[1])
        self._is_over = read < BYTES_AT_ONCE

    def take(self, bucket: int) -> bytes:
        """Return a bucket's rows: none where this is not the next one."""
        return self._waiting.popleft()[1] if self.head == bucket else b""

    @property
    def needs_more(self) -> bool:
        """Return whether reading on could tell more."""
        return not self._waiting and not self._is_over


def side_by_side(both: Lockstep, source: sql.Composed, target: sql.Composed) -> Iterator[tuple[bytes, bytes]]:
    """Yield the rows of each bucket that either side has, from queries sorted by bucket."""
    here, there = Feed(both.source, source), Feed(both.target, target)
    with closing(here.stream), closing(there.stream):
        while True:
            if here.needs_more or there.needs_more:
                both.run(here.fill, there.fill)
            heads = [feed.head for feed in (here, there) if feed.head is not None]
            if not heads:
                return
            yield here.take(min(heads)), there.take(min(heads))


def _stream(snapshot: Snapshot, query: sql.Composed) -> Generator[Bucket]:
    chunk = BUCKETS_AT_ONCE if capabilities.has_stream_chunked() else 1
    with named_errors(snapshot.conninfo), snapshot.connection.cursor() as cursor:
        yield from cursor.stream(query, binary=True, size=chunk)
