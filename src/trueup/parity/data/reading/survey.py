"""What is known of a table before it is read whole: how its keys are spread, and whether much of it differs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from psycopg import sql

from trueup.parity.data.hashing import looks
from trueup.parity.data.hashing.grid import FEWEST, Grid, HashGrid, bucket_count, even_grid, power_of_two
from trueup.parity.data.hashing.rows import row_hashes_of
from trueup.parity.data.model import Key
from trueup.parity.data.pairing.pairs import Reading, TablePair
from trueup.parity.data.sides.lockstep import Lockstep

PAGE_BYTES = 8_192
SMALL_BYTES = 4_000_000
"""Up to here nothing is worth a sample."""
PAGES_SAMPLED = 512
ROWS_SAMPLED = 1 / 16
"""Of those pages: rows of one page are neighbours, more of them would say little that is new."""
MOST_READ = 1 / 16
"""Of what a segment holds, to sample it."""
KEYS_TRIED = 256
"""Of each side, and held against the other."""
DENSE_FROM = 2
"""So many rows of those tried that differ mean that of a thousand rows some differ, nearly everywhere."""
DENSE_BUCKET_BYTES = 400_000
DENSE_BUCKETS_AT_ONCE = 512
"""Some 200 MB of a table."""

Answer = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Is how a table is going to be read."""

    grid: Grid
    is_dense: bool = False
    """Whether so many rows differ that sums of buckets would only say so of every bucket."""


def survey(both: Lockstep, pair: TablePair, *, salt: int, share: float = 1) -> Survey:
    """Look at a few pages of a table, of which a segment holds a share, and at its least and greatest integer key."""
    sizes = _ask(both, pair, looks.size)
    whole_bytes = max(bytes_ for [(bytes_,)] in sizes)
    table_bytes = int(whole_bytes * share)
    is_worth_it = pair.source.is_key_enforced and table_bytes > SMALL_BYTES
    samples = _samples(both, pair, whole_bytes, share) if is_worth_it else ()
    is_dense = bool(samples) and _differing(both, pair, samples, salt) >= DENSE_FROM
    buckets = max(FEWEST, power_of_two(table_bytes // DENSE_BUCKET_BYTES)) if is_dense else bucket_count(table_bytes)
    if not pair.source.has_integer_key:
        return Survey(grid=HashGrid(buckets), is_dense=is_dense)
    ends = chain.from_iterable(answer[0] for answer in _ask(both, pair, looks.key_bounds))
    points = {int(key[0] or 0) for key in chain.from_iterable(samples)}
    known = points | {int(end) for end in ends if end is not None}
    return Survey(grid=even_grid(known, buckets=buckets), is_dense=is_dense)


def _samples(both: Lockstep, pair: TablePair, table_bytes: int, share: float) -> tuple[list[Key], list[Key]]:
    percent, rows = sampled(table_bytes, share)
    return _ask(both, pair, lambda reading: looks.sample(reading, percent, rows=rows))


def sampled(table_bytes: int, share: float) -> tuple[float, float]:
    """Return how many percent of the pages are read, and which part of their rows, for a segment that holds a share.

    The pages of a segment lie anywhere in its table. So that those of others, read in vain, cost a table of many
    segments little, it makes do with fewer, and with more rows of each.
    """
    most_pages = max(PAGES_SAMPLED, table_bytes * share * MOST_READ / PAGE_BYTES)
    pages = min(PAGES_SAMPLED, most_pages * share)
    return min(100.0, 100 * pages * PAGE_BYTES / (table_bytes * share)), min(1.0, ROWS_SAMPLED * PAGES_SAMPLED / pages)


def _differing(both: Lockstep, pair: TablePair, samples: Iterable[Sequence[Key]], salt: int) -> int:
    """Return how many of a few hundred sampled rows differ."""
    tried = list({key for sample in samples for key in sample[:: len(sample) // KEYS_TRIED + 1]})
    if not tried:
        return 0
    source, target = (
        {tuple(key): tuple(hashes) for key, hashes in answer}
        for answer in _ask(both, pair, lambda reading: row_hashes_of(reading, tried, salt))
    )
    return sum(source.get(key) != target.get(key) for key in tried)


def _ask(both: Lockstep, pair: TablePair, query: Callable[[Reading], sql.Composed]) -> tuple[Answer, Answer]:
    return both.run(lambda source: source.rows(query(pair.source)), lambda target: target.rows(query(pair.target)))
