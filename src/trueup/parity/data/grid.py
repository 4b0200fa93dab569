"""How the rows of a table are cut into parts and buckets, the same on both sides. Does no I/O."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

INT8_MIN, INT8_MAX = -(2**63), 2**63 - 1
BYTES_PER_BUCKET = 100_000
"""Of the table's file: some hundred rows."""
FEWEST, MOST = 64, 16_384
POINTS_PER_KNOT = 64
"""So many keys of a sample stand between two knots: fewer, and chance would make the gaps uneven. Its pages hold
neighbours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Is which rows of a table are read: all; a range of its integer key; one of `parts` by the hash of its key."""

    low: int | None = None
    """Inclusive; None: no bound."""
    high: int | None = None
    """Exclusive."""
    part: int = 0
    parts: int = 1
    """A power of two."""

    def __str__(self) -> str:
        if self.parts > 1:
            return f"part {self.part + 1} of {self.parts}"
        if self.low is None:
            return "all rows" if self.high is None else f"keys below {self.high}"
        return f"keys from {self.low}" + (" on" if self.high is None else f", below {self.high}")


ALL_ROWS = Span()


@dataclass(frozen=True, slots=True)
class RangeGrid:
    """Cuts an integer key at bounds: bucket n holds the keys that n of them don't exceed."""

    bounds: tuple[int, ...]
    """Ascending."""

    @property
    def buckets(self) -> int:
        """Return how many buckets there are."""
        return len(self.bounds) + 1

    def bucket(self, key: int) -> int:
        """Return the bucket of a key, as the server's width_bucket counts it."""
        return bisect_right(self.bounds, key)

    def span(self, first: int, last: int) -> Span:
        """Return the keys of the buckets from `first` to `last`, both inclusive."""
        return Span(
            low=self.bounds[first - 1] if first else None,
            high=self.bounds[last] if last < len(self.bounds) else None,
        )


@dataclass(frozen=True, slots=True)
class HashGrid:
    """Cuts by the last bits of the hash of the key, or of the row where there is none."""

    buckets: int
    """A power of two."""
    inside: tuple[int, tuple[int, ...]] | None = None
    """A coarser grid's number of buckets, and which of them are looked into; None: all rows are."""

    def within(self, buckets: Sequence[int]) -> "HashGrid":
        """Return a grid that cuts some buckets of this one again."""
        return HashGrid(self.buckets * 64, (self.buckets, tuple(buckets)))


Grid = RangeGrid | HashGrid


def bucket_count(table_bytes: int) -> int:
    """Return how many buckets a table of that size is worth: a power of two."""
    return min(MOST, max(FEWEST, power_of_two(table_bytes // BYTES_PER_BUCKET)))


def power_of_two(least: int) -> int:
    """Return the first power of two above a number."""
    return 1 << least.bit_length()


def even_bounds(sample: Iterable[int], *, buckets: int) -> tuple[int, ...]:
    """Return bounds between which about equally many keys lie, wherever they crowd: about `buckets` - 1 of them.

    The sample gives knots with the same share of keys between any two; each gap is cut into equal ranges.
    """
    points = sorted(set(sample))
    if len(points) < 2:
        return ()
    gaps = min(buckets, max(1, len(points) // POINTS_PER_KNOT))
    knots = [points[(len(points) - 1) * number // gaps] for number in range(gaps + 1)]
    cuts = max(1, buckets // gaps)
    bounds = {low + (high - low) * number // cuts for low, high in pairwise(knots) for number in range(cuts)}
    return tuple(sorted(bounds - {points[0]}))


def runs(buckets: Sequence[int]) -> list[tuple[int, int]]:
    """Return ascending buckets as runs of neighbours, each with its first and last."""
    found: list[tuple[int, int]] = []
    for bucket in buckets:
        if found and found[-1][1] == bucket - 1:
            found[-1] = found[-1][0], bucket
        else:
            found.append((bucket, bucket))
    return found
