"""What is to be done, and in which order it can be. Does no I/O.

Source: Kahn, "Topological sorting of large networks" (1962).
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from trueup.parity.schema.model import ObjectKey

Verb = Literal["drop", "alter", "make"]
VERBS: Mapping[Verb, int] = {"drop": 0, "alter": 1, "make": 2}


class Action(NamedTuple):
    """Is one thing to do with one unit."""

    verb: Verb
    key: ObjectKey


def same_names(actions: Iterable[Action]) -> Iterator[tuple[Action, Action]]:
    """Yield that a name is free when what had it is dropped, whatever kind that was."""
    by_identity: defaultdict[str, list[Action]] = defaultdict(list)
    for action in actions:
        by_identity[action.key.identity].append(action)
    for same in by_identity.values():
        drops, makes = ([each for each in same if each.verb == verb] for verb in ("drop", "make"))
        yield from ((one, other) for one in drops for other in makes)


def in_order(actions: Iterable[Action], edges: Iterable[tuple[Action, Action]]) -> tuple[list[Action], list[Action]]:
    """Return the actions so that each comes after what has to be done before, else by verb, kind and name.

    The second list holds those that wait for each other, and those that wait for them.
    """
    after: defaultdict[Action, set[Action]] = defaultdict(set)
    waits: dict[Action, int] = dict.fromkeys(actions, 0)
    for first, second in edges:
        if second not in after[first]:
            after[first].add(second)
            waits[second] += 1
    ready = [(_rank(action), action) for action, count in waits.items() if not count]
    heapq.heapify(ready)
    found: list[Action] = []
    while ready:
        _, action = heapq.heappop(ready)
        found.append(action)
        for each in after[action]:
            waits[each] -= 1
            if not waits[each]:
                heapq.heappush(ready, (_rank(each), each))
    return found, sorted((action for action, count in waits.items() if count), key=_rank)


def _rank(action: Action) -> tuple[int, str, str]:
    return VERBS[action.verb], action.key.kind, action.key.identity
