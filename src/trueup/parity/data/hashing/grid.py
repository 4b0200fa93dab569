"""How the rows of a table are cut into parts and buckets, the same on both sides. Does no I/O."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from trueup.parity.data.pairing.span import Span

INT8_MIN, INT8_MAX = -(2**63), 2**63 - 1
BYTES_PER_BUCKET = 100_000
"""Of the table's file: some hundred rows."""
FEWEST, MOST = 64, 16_384
POINTS_PER_KNOT = 64
"""So many keys of a sample stand between two knots: fewer, and chance would make the gaps uneven. Its pages hold
neighbours."""
CROWDED = 4
"""Times as many keys as elsewhere in a range of the same length are too many for steps."""


@dataclass(frozen=True, slots=True)
class RangeGrid:
    """Cuts an integer key at bounds: bucket n holds the keys that n of them don't exceed."""

    bounds: tuple[int, ...]
    """Ascending."""

    @property
    def numbers(self) -> range:
        """Return the numbers of all buckets."""
        return range(len(self.bounds) + 1)

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
class StepGrid:
    """Cuts an integer key into ranges of 2**`shift`, which a server tells apart faster than those between bounds."""

    shift: int
    least: int
    """Of the keys that are known; the first bucket and the last have no end."""
    greatest: int

    @property
    def numbers(self) -> range:
        """Return the numbers of all buckets: below 0 for keys below 0."""
        return range(self.bucket(self.least), self.bucket(self.greatest) + 1)

    def bucket(self, key: int) -> int:
        """Return the bucket of a key, as the server's `>>` counts it; others than `numbers` belong to the nearest."""
        return key >> self.shift

    def span(self, first: int, last: int) -> Span:
        """Return the keys of the buckets from `first` to `last`, both inclusive."""
        low, high = first << self.shift, (last + 1) << self.shift
        return Span(low=low if low > self.least else None, high=high if high <= self.greatest else None)


@dataclass(frozen=True, slots=True)
class HashGrid:
    """Cuts by the last bits of the hash of the key, or of the row where there is none."""

    buckets: int
    """A power of two."""
    inside: tuple[int, tuple[int, ...]] | None = None
    """A coarser grid's number of buckets, and which of them are looked into; None: all rows are."""

    @property
    def numbers(self) -> range:
        """Return the numbers of all buckets."""
        return range(self.buckets)

    def within(self, buckets: Sequence[int]) -> "HashGrid":
        """Return a grid that cuts some buckets of this one again."""
        return HashGrid(self.buckets * 64, (self.buckets, tuple(buckets)))


Grid = RangeGrid | StepGrid | HashGrid


def bucket_count(table_bytes: int) -> int:
    """Return how many buckets a table of that size is worth: a power of two."""
    return min(MOST, max(FEWEST, power_of_two(table_bytes // BYTES_PER_BUCKET)))


def power_of_two(least: int) -> int:
    """Return the first power of two above a number."""
    return 1 << least.bit_length()


def even_grid(sample: Iterable[int], *, buckets: int) -> RangeGrid | StepGrid:
    """Return about `buckets` ranges in which about equally many keys lie: steps where keys are spread evenly."""
    points = sorted(set(sample))
    knots = _knots(points, buckets)
    gaps = [high - low for low, high in pairwise(knots)]
    if not gaps or min(gaps) * CROWDED * len(gaps) < sum(gaps):
        return RangeGrid(_bounds(knots, buckets))
    # Of two powers of two, the one that is nearer.
    shift = max(0, (sum(gaps) // buckets * 3 // 2).bit_length() - 1)
    return StepGrid(shift, knots[0], knots[-1])


def even_bounds(sample: Iterable[int], *, buckets: int) -> tuple[int, ...]:
    """Return bounds between which about equally many keys lie, wherever they crowd: about `buckets` - 1 of them.

    The sample gives knots with the same share of keys between any two; each gap is cut into equal ranges.
    """
    return _bounds(_knots(sorted(set(sample)), buckets), buckets)


def _knots(points: Sequence[int], buckets: int) -> list[int]:
    gaps = min(buckets, max(1, len(points) // POINTS_PER_KNOT))
    return [points[(len(points) - 1) * number // gaps] for number in range(gaps + 1)] if len(points) > 1 else []


def _bounds(knots: Sequence[int], buckets: int) -> tuple[int, ...]:
    if not knots:
        return ()
    cuts = max(1, buckets // (len(knots) - 1))
    bounds = {low + (high - low) * number // cuts for low, high in pairwise(knots) for number in range(cuts)}
    return tuple(sorted(bounds - {knots[0]}))


def runs(buckets: Sequence[int]) -> list[tuple[int, int]]:
    """Return ascending buckets as runs of neighbours, each with its first and last."""
    found: list[tuple[int, int]] = []
    for bucket in buckets:
        if found and found[-1][1] == bucket - 1:
            found[-1] = found[-1][0], bucket
        else:
            found.append((bucket, bucket))
    return found
