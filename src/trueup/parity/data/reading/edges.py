"""Rows at the edge of a window: looked at on one side, and outside of it on the other."""

from dataclasses import dataclass

from trueup.parity.data.model import Key
from trueup.parity.data.pairing.pairs import TablePair
from trueup.parity.data.reading.rereading import sightings
from trueup.parity.data.sides.lockstep import Lockstep


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Is what rows are that a window shows on one side alone."""

    missing: tuple[Key, ...]
    extra: tuple[Key, ...]
    changed: tuple[Key, ...]
    """Both sides have them."""


def at_edge(both: Lockstep, pair: TablePair, missing: tuple[Key, ...], extra: tuple[Key, ...], salt: int) -> Edge:
    """Look up rows of one side on the other, outside of the window as well; those that agree there are no difference.

    Raises:
        Unverifiable: a side can't be read.
    """
    if pair.source.key and (pair.source.where or pair.source.since):
        seen = list(sightings(both, pair, list(dict.fromkeys((*missing, *extra))), salt))
    else:
        return Edge(missing=missing, extra=extra, changed=())
    return Edge(
        missing=tuple(key for key, one in seen for _ in range(one.kinds.missing)),
        extra=tuple(key for key, one in seen for _ in range(one.kinds.extra)),
        changed=tuple(key for key, one in seen for _ in range(one.kinds.changed)),
    )
