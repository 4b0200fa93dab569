"""How the rows of a table are cut into buckets, the same on both sides. Does no I/O."""

from dataclasses import dataclass

INT8_MIN, INT8_MAX = -(2**63), 2**63 - 1
BYTES_PER_BUCKET = 100_000
"""Of the table's file: about a thousand rows."""
FEWEST, MOST = 64, 16_384


@dataclass(frozen=True, slots=True)
class RangeGrid:
    """Cuts an integer key where its quotient by `step` changes; no subtraction, so nothing overflows."""

    step: int
    low: int
    high: int
    """Both inclusive."""

    def bounds(self, bucket: int) -> tuple[int, int]:
        """Return the smallest and the largest key of a bucket.

        Division truncates, as the server's does: bucket 0 reaches from -(step - 1) to step - 1.
        """
        near, far = bucket * self.step, (abs(bucket) + 1) * self.step - 1
        low, high = (-far if bucket <= 0 else near), (far if bucket >= 0 else near)
        return max(low, self.low), min(high, self.high)

    def inside(self, bucket: int) -> "RangeGrid":
        """Return a grid that cuts one bucket of this one again."""
        return range_grid(*self.bounds(bucket), buckets=MOST)

    @property
    def is_finest(self) -> bool:
        """Return whether a bucket holds a single key already."""
        return self.step == 1


@dataclass(frozen=True, slots=True)
class HashGrid:
    """Cuts by the last bits of the hash of the key, or of the row where there is none."""

    buckets: int
    """A power of two."""


Grid = RangeGrid | HashGrid


def bucket_count(table_bytes: int) -> int:
    """Return how many buckets a table of that size is worth: a power of two."""
    return min(MOST, max(FEWEST, 1 << (table_bytes // BYTES_PER_BUCKET).bit_length()))


def range_grid(low: int, high: int, *, buckets: int) -> RangeGrid:
    """Return a grid over the integers from `low` to `high`, both inclusive, of at most `buckets` + 2 buckets."""
    return RangeGrid(step=max(1, -(-(high - low + 1) // buckets)), low=low, high=high)
