"""Which rows of a bucket differ, gathered over all buckets. Does no I/O."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from trueup.parity.data.model import ChangedRow, Key

Entry = tuple[Key, int]
"""A row's key and the hash of the row."""
Hashes = tuple[Sequence[int | None], Sequence[int | None]]
"""Of each column of a row: of its value, and of what its type's `=` sees."""


@dataclass(slots=True)
class Rows:
    """Gathers the keys of one kind of difference: all are counted, the first `limit` are kept."""

    limit: int
    count: int = 0
    keys: list[Key] = field(default_factory=list)

    def add(self, key: Key, times: int) -> None:
        """Count a key that many times."""
        self.count += times
        self.keys += [key] * min(times, self.limit - len(self.keys))


class Differences:
    """Gathers what differs in one table, in memory that does not grow with it."""

    def __init__(self, *, limit: int) -> None:
        self.limit = limit
        self.missing, self.extra, self.changed = Rows(limit), Rows(limit), Rows(limit)

    def __bool__(self) -> bool:
        return any(kind.count for kind in (self.missing, self.extra, self.changed))

    def add(self, source: Counter[Entry], target: Counter[Entry]) -> None:
        """Take in all rows of one bucket of both sides.

        Rows are held against each other as multisets: a key that a side has twice, by a broken index, is not lost.
        """
        source_keys, target_keys = _keys_of(source - target), _keys_of(target - source)
        for kind, keys in (
            (self.changed, source_keys & target_keys),
            (self.missing, source_keys - target_keys),
            (self.extra, target_keys - source_keys),
        ):
            for key, times in keys.items():
                kind.add(key, times)

    def trim(self) -> None:
        """Keep at most `limit` keys of all kinds together, as evenly as they come."""
        left = self.limit
        for others, kind in enumerate(sorted((self.missing, self.extra, self.changed), key=lambda k: len(k.keys))):
            del kind.keys[left // (3 - others) :]
            left -= len(kind.keys)


def _keys_of(entries: Counter[Entry]) -> Counter[Key]:
    keys: Counter[Key] = Counter()
    for (key, _), times in entries.items():
        keys[key] += times
    return keys


def changed_row(key: Key, names: Iterable[str], source: Sequence[Hashes], target: Sequence[Hashes]) -> ChangedRow:
    """Return which columns make the difference between the rows of one key, as a rule one on each side."""
    names = tuple(names)

    def differ(which: int, column: int) -> bool:
        here, there = (Counter(row[which][column] for row in rows) for rows in (source, target))
        return here != there

    columns = [number for number in range(len(names)) if differ(0, number)]
    return ChangedRow(
        key=key,
        columns=tuple(names[number] for number in columns),
        representation=bool(columns) and not any(differ(1, number) for number in columns),
    )
