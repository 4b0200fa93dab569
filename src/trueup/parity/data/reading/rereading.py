"""Reads rows again that differed, by their keys, whatever window they were found in."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trueup.parity.data.hashing.rows import rows_of_hashes, rows_of_keys
from trueup.parity.data.model import Key
from trueup.parity.data.pairing.pairs import TablePair
from trueup.parity.data.reading.sighting import Seen, Sighting
from trueup.parity.data.sides.lockstep import Lockstep

KEYS_AT_ONCE = 1_000

Answer = list[tuple[Any, ...]]


def sightings(both: Lockstep, pair: TablePair, keys: Sequence[Key], salt: int) -> Iterator[tuple[Key, Sighting]]:
    """Yield what both sides have under each key, a thousand keys of a table at a time.

    In a table without a key, keys are hashes under the same salt, and the whole table is read for all of them.

    Raises:
        Unverifiable: a side can't be read.
    """
    whole = pair.whole
    at_once = KEYS_AT_ONCE if pair.source.key else max(1, len(keys))
    for start in range(0, len(keys), at_once):
        some = keys[start : start + at_once]
        here, there = map(_seen, _ask(both, whole, some, salt))
        for key in some:
            yield key, Sighting(here.get(key, Seen()), there.get(key, Seen()))


def _ask(both: Lockstep, pair: TablePair, keys: Sequence[Key], salt: int) -> tuple[Answer, Answer]:
    query = rows_of_keys if pair.source.key else rows_of_hashes
    return both.run(
        lambda source: source.rows(query(pair.source, keys, salt)),
        lambda target: target.rows(query(pair.target, keys, salt)),
    )


def _seen(answer: Answer) -> Mapping[Key, Seen]:
    rows: defaultdict[Key, Counter[tuple[int, ...]]] = defaultdict(Counter)
    versions: defaultdict[Key, list[int]] = defaultdict(list)
    for key, hashes, times, version in answer:
        rows[tuple(key)][tuple(hashes)] += times
        versions[tuple(key)].append(int(version))
    return {key: Seen(tuple(sorted(found.items())), tuple(sorted(versions[key]))) for key, found in rows.items()}
