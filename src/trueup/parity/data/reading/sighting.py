"""What becomes of a row that differed, by what is seen when it is read again. Does no I/O.

A sighting reads both sides in fresh snapshots, the target's taken before the source's. Between two sightings stands a
fence: what the source had committed by the first has reached the target by the second. So a row that is the same
version on both sides in both sightings is not on its way: were the target's version one that the source has replaced
since, it would have been replaced there, too.
"""

from collections import Counter
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple

FINGERPRINT_BYTES = 16


class Outcome(StrEnum):
    """Is what became of a row that differed."""

    SETTLED = "settled"
    DIFFERENT = "still different"
    MOVING = "still moving"


class Seen(NamedTuple):
    """Is what one side has under a key: nothing, a row, or several where nothing enforces the key."""

    content: tuple[tuple[tuple[int, ...], int], ...] = ()
    """The hashes of each different row and how often it is there, sorted."""
    versions: tuple[int, ...] = ()
    """The transactions that wrote them, sorted: content that came back is another version."""

    @property
    def rows(self) -> Counter[tuple[int, ...]]:
        """Return how often each row is there, by its hashes."""
        return Counter(dict(self.content))


class Kinds(NamedTuple):
    """Is how many rows of a key differ in which way."""

    missing: int
    extra: int
    changed: int


class Sighting(NamedTuple):
    """Is what both sides have under a key when they are read together."""

    source: Seen
    target: Seen

    @property
    def is_agreement(self) -> bool:
        """Return whether both have the same rows."""
        return self.source.content == self.target.content

    @property
    def fingerprint(self) -> bytes:
        """Return what stands for it, versions included, in a few bytes."""
        return blake2b(repr(self).encode(), digest_size=FINGERPRINT_BYTES).digest()

    @property
    def kinds(self) -> Kinds:
        """Return how they differ: a row that is another on the other side is changed, what is left over is not."""
        here, there = self.source.rows, self.target.rows
        gone, come = (here - there).total(), (there - here).total()
        changed = min(gone, come)
        return Kinds(gone - changed, come - changed, changed)


def outcome(before: bytes | None, now: Sighting, *, is_fenced: bool) -> Outcome:
    """Return what is known of a row, by the fingerprint of its last sighting and by this one.

    Without a fence between them, or without a sighting before, a row that differs is on its way for all we know.
    """
    if now.is_agreement:
        return Outcome.SETTLED
    return Outcome.DIFFERENT if is_fenced and before == now.fingerprint else Outcome.MOVING
