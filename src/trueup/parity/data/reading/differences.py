"""Which rows of a bucket differ, gathered over all buckets. Does no I/O."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from struct import Struct

from trueup.parity.data.model import ChangedRow, Key

WORD_BYTES = 8
"""Of an id, of a hash, of a count."""
PIECES_AT_ONCE = 256
Hashes = tuple[Sequence[int | None], Sequence[int | None]]
"""Of each column of a row: of its value, and of what its type's `=` sees."""


@dataclass(slots=True)
class Rows:
    """Gathers the ids of one kind of difference: all are counted, the first `limit` are kept."""

    limit: int
    count: int = 0
    ids: list[bytes] = field(default_factory=list)

    def add(self, found: Counter[bytes]) -> None:
        """Count ids, each as many times as it was found."""
        self.count += found.total()
        for id_, times in found.items():
            if len(self.ids) >= self.limit:
                return
            self.ids += [id_] * min(times, self.limit - len(self.ids))


class Differences:
    """Gathers what differs in one table, in memory that does not grow with it."""

    def __init__(self, *, limit: int, hashes: int = 1, has_counts: bool = False) -> None:
        """Take rows as the bytes of an id and so many hashes; or hashes, the first its id, and how many such."""
        self.limit, self._has_counts = limit, has_counts
        self._piece_bytes = WORD_BYTES * (1 + hashes)
        self._many = Struct(f"{self._piece_bytes}s" * PIECES_AT_ONCE)
        self.missing, self.extra, self.changed = Rows(limit), Rows(limit), Rows(limit)
        self.source_rows = self.target_rows = 0
        """Taken in so far."""

    def __bool__(self) -> bool:
        return any(kind.count for kind in (self.missing, self.extra, self.changed))

    def add(self, source: bytes, target: bytes) -> None:
        """Take in all rows of one bucket of both sides.

        Rows are held against each other as multisets: a key that a side has twice, by a broken index, is not lost.
        """
        self.source_rows += len(source) // self._piece_bytes
        self.target_rows += len(target) // self._piece_bytes
        if source == target:
            return
        here, there = self._pieces(source), self._pieces(target)
        gone, come = self._apart(here, there)
        for kind, found in ((self.changed, gone & come), (self.missing, gone - come), (self.extra, come - gone)):
            if found:
                kind.add(found)

    def trim(self) -> None:
        """Keep at most `limit` ids of all kinds together, as evenly as they come."""
        kinds = (self.missing, self.extra, self.changed)
        for kind, room in zip(kinds, even_shares(self.limit, [len(kind.ids) for kind in kinds]), strict=True):
            del kind.ids[room:]

    def _apart(self, here: list[bytes], there: list[bytes]) -> tuple[Counter[bytes], Counter[bytes]]:
        """Return the ids of which either side has more rows than the other, and how many more."""
        if self._has_counts:
            mine, theirs = _counts(here), _counts(there)
            return _by_count(mine - theirs), _by_count(theirs - mine)
        gone, come = _apart(here, there)
        return _ids(gone), _ids(come)

    def _pieces(self, rows: bytes) -> list[bytes]:
        size = self._piece_bytes
        even = len(rows) - len(rows) % self._many.size
        found: list[bytes] = []
        for some in self._many.iter_unpack(memoryview(rows)[:even]):
            found += some
        found += (rows[at : at + size] for at in range(even, len(rows), size))
        return found


def even_shares(limit: int, wanted: Sequence[int]) -> list[int]:
    """Return how much of `limit` each gets: as much as it wants where that is little, the others equally."""
    shares, left = [0] * len(wanted), limit
    for others, number in enumerate(sorted(range(len(wanted)), key=wanted.__getitem__)):
        shares[number] = min(wanted[number], left // (len(wanted) - others))
        left -= shares[number]
    return shares


def _apart(here: list[bytes], there: list[bytes]) -> tuple[Iterable[bytes], Iterable[bytes]]:
    """Return what either has more of than the other."""
    mine, theirs = set(here), set(there)
    if len(mine) == len(here) and len(theirs) == len(there):
        return mine - theirs, theirs - mine
    counted, held_against = Counter(here), Counter(there)
    return (counted - held_against).elements(), (held_against - counted).elements()


def _ids(pieces: Iterable[bytes]) -> Counter[bytes]:
    return Counter(piece[:WORD_BYTES] for piece in pieces)


def _counts(pieces: list[bytes]) -> Counter[bytes]:
    return Counter({piece[:-WORD_BYTES]: int.from_bytes(piece[-WORD_BYTES:]) for piece in pieces})


def _by_count(rows: Counter[bytes]) -> Counter[bytes]:
    ids: Counter[bytes] = Counter()
    for row, times in rows.items():
        ids[row[:WORD_BYTES]] += times
    return ids


def changed_row(key: Key, names: Iterable[str], source: Sequence[Hashes], target: Sequence[Hashes]) -> ChangedRow:
    """Return which columns make the difference between the rows of one key, as a rule one on each side."""
    names = tuple(names)

    def differ(which: int, column: int) -> bool:
        here, there = ([row[which][column] for row in rows] for rows in (source, target))
        return here != there and Counter(here) != Counter(there)

    columns = [number for number in range(len(names)) if differ(0, number)]
    return ChangedRow(
        key=key,
        columns=tuple(names[number] for number in columns),
        representation=bool(columns) and not any(differ(1, number) for number in columns),
    )
