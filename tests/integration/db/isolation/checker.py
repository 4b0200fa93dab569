"""Finds in a history what no isolation level, or not the one that was asked for, allows.

Sources: Adya, "Weak Consistency" (1999), for the names; Kingsbury and Alvaro, "Elle" (2020), for how they are found;
Fekete et al., "Making Snapshot Isolation Serializable" (2005): without two read-write dependencies in a row there is
no cycle under snapshot isolation. PostgreSQL manual, "Transaction Isolation": repeatable read is snapshot isolation.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from tests.integration.db.isolation.graph import (
    Edge,
    circles_without_two_in_a_row,
    components,
    is_reachable,
    successors,
)
from tests.integration.db.isolation.history import Append, Event, History, Read, Told, Version


class Kind(Enum):
    """Is a kind of anomaly."""

    G0 = "write cycle"
    G1A = "aborted read"
    G1B = "intermediate read"
    G1C = "circular information flow"
    G_SINGLE = "read skew"
    G_NONADJACENT = "cycle without two anti-dependencies in a row"
    G2_ITEM = "write skew"
    LOST_UPDATE = "two writers of one version"
    UNREPEATABLE = "unrepeatable read"
    INTERNAL = "own write not seen"
    ORDER = "reads that disagree on the order of writes"
    LOST = "committed write not stored"
    RESURRECTED = "write that was rolled back is stored"
    DUPLICATE = "write stored twice"
    UNEXPLAINED = "value that nobody wrote"


READ_COMMITTED = frozenset(
    {Kind.G0, Kind.G1A, Kind.G1B, Kind.G1C, Kind.INTERNAL, Kind.ORDER}
    | {Kind.LOST, Kind.RESURRECTED, Kind.DUPLICATE, Kind.UNEXPLAINED}
)
REPEATABLE_READ = READ_COMMITTED | {Kind.G_SINGLE, Kind.G_NONADJACENT, Kind.LOST_UPDATE, Kind.UNREPEATABLE}
FORBIDDEN = {
    "read committed": READ_COMMITTED,
    "repeatable read": REPEATABLE_READ,
    "serializable": REPEATABLE_READ | {Kind.G2_ITEM},
}
"""What PostgreSQL promises not to let happen, by isolation level."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Is one thing that went wrong, and between whom: the numbers are places in the history."""

    kind: Kind
    detail: str


def check(history: History) -> list[Anomaly]:
    """Return every anomaly of the history; of each knot of circles, the gravest kind only."""
    facts = Facts.of(history)
    return [*facts.check_storage(), *facts.check_reads(), *check_circles(*facts.dependencies())]


def kinds(history: History) -> set[Kind]:
    """Return which kinds of anomaly a history has."""
    return {anomaly.kind for anomaly in check(history)}


@dataclass(frozen=True, slots=True)
class Facts:
    """Is what a history says once the unknown outcomes are settled by what was stored."""

    events: tuple[Event, ...]
    orders: Mapping[int, Version]
    """By key: the order of all writes."""
    writers: Mapping[tuple[int, int], int]
    """By key and value: which event appended it."""
    committed: frozenset[int]

    @classmethod
    def of(cls, history: History) -> "Facts":
        writers = {(a.key, a.value): number for number, event in enumerate(history.events) for a in event.appends()}
        stored = {(key, value) for key, values in history.stored.items() for value in values}
        committed = {
            number
            for number, event in enumerate(history.events)
            if event.told is Told.COMMITTED
            or (event.told is Told.UNKNOWN and any((a.key, a.value) in stored for a in event.appends()))
        }
        return cls(history.events, history.stored, writers, frozenset(committed))

    def happened(self) -> Iterator[tuple[int, Event]]:
        return ((number, self.events[number]) for number in sorted(self.committed))

    def check_storage(self) -> Iterator[Anomaly]:
        """Hold what is stored against what the callers were told; part of an unknown one counts as all of it."""
        for key, order in self.orders.items():
            if len(set(order)) < len(order):
                yield Anomaly(Kind.DUPLICATE, f"key {key}: {sorted({v for v in order if order.count(v) > 1})}")
            for value in order:
                writer = self.writers.get((key, value))
                if writer is None:
                    yield Anomaly(Kind.UNEXPLAINED, f"key {key} holds {value}")
                elif writer not in self.committed:
                    yield Anomaly(Kind.RESURRECTED, f"key {key} holds {value} of {writer}")
        present = {key: set(order) for key, order in self.orders.items()}
        for number, event in self.happened():
            for append in event.appends():
                if append.value not in present.get(append.key, ()):
                    yield Anomaly(Kind.LOST, f"key {append.key} lacks {append.value} of {number}")

    def check_reads(self) -> Iterator[Anomaly]:
        for number, event in self.happened():
            yield from self.check_own(number, event)
            for read in event.reads():
                yield from self.check_read(number, read)
        yield from self.check_rivals()

    def check_read(self, number: int, read: Read) -> Iterator[Anomaly]:
        """Check that a read saw a version that was committed, whole, and a beginning of what came after."""
        place = f"{number} read key {read.key}"
        writers = [self.writers.get((read.key, value)) for value in read.seen]
        if None in writers:
            yield Anomaly(Kind.UNEXPLAINED, place)
        if any(writer is not None and writer not in self.committed for writer in writers):
            yield Anomaly(Kind.G1A, place)
        if self.orders.get(read.key, ())[: len(read.seen)] != read.seen:
            yield Anomaly(Kind.ORDER, place)
        last = writers[-1] if writers else None
        if last is not None and last != number:
            whole = [a.value for a in self.events[last].appends() if a.key == read.key]
            if whole[-1] != read.seen[-1]:
                yield Anomaly(Kind.G1B, f"{place} in the middle of {last}")

    def check_own(self, number: int, event: Event) -> Iterator[Anomaly]:
        """Check that the event sees its own writes at the end of a list, and apart from them the same list again."""
        own: dict[int, Version] = defaultdict(tuple)
        before: dict[int, Version] = {}
        for operation in event.operations:
            key = operation.key
            if isinstance(operation, Append):
                own[key] += (operation.value,)
                continue
            size = len(operation.seen) - len(own[key])
            if operation.seen[max(0, size) :] != own[key]:
                yield Anomaly(Kind.INTERNAL, f"{number} on key {key}")
            elif before.setdefault(key, operation.seen[:size]) != operation.seen[:size]:
                yield Anomaly(Kind.UNREPEATABLE, f"{number} on key {key}")

    def check_rivals(self) -> Iterator[Anomaly]:
        """Find two that read the same version of a list and then both wrote it."""
        rivals: dict[tuple[int, Version], set[int]] = defaultdict(set)
        for number, event in self.happened():
            latest: dict[int, Version] = {}
            for operation in event.operations:
                if isinstance(operation, Read):
                    latest[operation.key] = operation.seen
                elif operation.key in latest:
                    rivals[operation.key, latest.pop(operation.key)].add(number)
        for (key, _), numbers in rivals.items():
            if len(numbers) > 1:
                yield Anomaly(Kind.LOST_UPDATE, f"key {key}: {sorted(numbers)}")

    def dependencies(self) -> tuple[set[Edge], set[Edge], set[Edge]]:
        """Return who wrote after whom (ww), who read whose write (wr), and who overwrote what whom had read (rw)."""
        ww, wr, rw = set[Edge](), set[Edge](), set[Edge]()
        for key, order in self.orders.items():
            known = [self.writers[key, value] for value in order if (key, value) in self.writers]
            ww.update(pairwise(known))
        for number, event in self.happened():
            for read in event.reads():
                writers = [self.writers.get((read.key, value)) for value in read.seen]
                if number in writers:
                    continue  # what precedes its own write is told by ww
                if writers and writers[-1] is not None:
                    wr.add((writers[-1], number))
                order = self.orders.get(read.key, ())
                if order[: len(read.seen)] == read.seen and len(order) > len(read.seen):
                    rw.add((number, self.writers.get((read.key, order[len(read.seen)]), number)))
        return self.real(ww), self.real(wr), self.real(rw)

    def real(self, edges: set[Edge]) -> set[Edge]:
        return {(a, b) for a, b in edges if a != b and a in self.committed and b in self.committed}


def check_circles(ww: set[Edge], wr: set[Edge], rw: set[Edge]) -> Iterator[Anomaly]:
    """Find the circles of dependencies, and name each knot of them by the weakest level that forbids it."""
    firm = ww | wr
    for knot in components(ww):
        yield Anomaly(Kind.G0, f"between {sorted(knot)}")
    for knot in components(firm):
        if any(a in knot and b in knot for a, b in wr - ww):
            yield Anomaly(Kind.G1C, f"between {sorted(knot)}")
    stale, onward = circles_without_two_in_a_row(firm, rw), successors(firm)
    for knot in components(firm | rw):
        inside = [(a, b) for a, b in rw if a in knot and b in knot]
        missed = [(a, b) for a, b in inside if any(a in circle and b in circle for circle in stale)]
        single = next(((a, b) for a, b in missed if is_reachable(onward, b, a, among=knot)), None)
        if single:
            yield Anomaly(Kind.G_SINGLE, f"{single[0]} missed a write of {single[1]}, which it depends on")
        elif missed:
            yield Anomaly(Kind.G_NONADJACENT, f"between {sorted(knot)}")
        elif inside:
            yield Anomaly(Kind.G2_ITEM, f"between {sorted(knot)}")
