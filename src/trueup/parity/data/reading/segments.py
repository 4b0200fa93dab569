"""Cuts tables into segments: each is compared on its own, anywhere, in any order, and again after an interruption.

A segment is a plain value that can be pickled: what to read, nothing of a connection.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from trueup.parity.data.hashing import looks
from trueup.parity.data.hashing.grid import even_bounds, power_of_two
from trueup.parity.data.pairing.pairs import TablePair
from trueup.parity.data.pairing.span import Span
from trueup.parity.data.reading.survey import PAGE_BYTES, PAGES_SAMPLED
from trueup.parity.data.sides.lockstep import Lockstep


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Is one part of a table, whose `pair` reads the rows of its span alone."""

    pair: TablePair
    number: int = 0
    total: int = 1

    @property
    def span(self) -> Span:
        """Return which rows it is of: plain integers, to be remembered and given to `TablePair.within` again."""
        return self.pair.source.span

    def __str__(self) -> str:
        return f"{self.pair.table}, {self.span}" if self.total > 1 else str(self.pair.table)


def segments(both: Lockstep, pair: TablePair, *, segment_bytes: int | None = None) -> tuple[Segment, ...]:
    """Return the table as one segment, or as several of about that many bytes of the table's file.

    A table without a key is one segment always.

    Raises:
        Unverifiable: a side can't be read.
    """
    if segment_bytes is None or not pair.source.key:
        return (Segment(pair=pair),)
    sizes = both.run(
        lambda source: source.rows(looks.size(pair.source)),
        lambda target: target.rows(looks.size(pair.target)),
    )
    table_bytes = max(bytes_ for [(bytes_,)] in sizes)
    wanted = -(-table_bytes // segment_bytes)
    spans = _ranges(both, pair, wanted, table_bytes) if pair.source.has_integer_key else _parts(wanted)
    found = tuple(spans) if wanted > 1 else (pair.source.span,)
    return tuple(Segment(pair=pair.within(span), number=number, total=len(found)) for number, span in enumerate(found))


def _ranges(both: Lockstep, pair: TablePair, wanted: int, table_bytes: int) -> Iterator[Span]:
    percent = min(100.0, 100 * PAGES_SAMPLED * PAGE_BYTES / max(1, table_bytes))
    answers = both.run(
        lambda source: source.rows(looks.sample(pair.source, percent)),
        lambda target: target.rows(looks.sample(pair.target, percent)),
    )
    bounds = even_bounds((int(key) for (key,) in chain.from_iterable(answers)), buckets=wanted)
    for low, high in zip((None, *bounds), (*bounds, None), strict=True):
        yield Span(low=low, high=high)


def _parts(wanted: int) -> Iterator[Span]:
    parts = power_of_two(wanted - 1)
    for part in range(parts):
        yield Span(part=part, parts=parts)
