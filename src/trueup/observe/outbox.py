"""The events that wait to be delivered, and the account of all that ever were: none disappears without a reason."""

import json
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Condition
from time import monotonic
from types import MappingProxyType

from trueup.observe.spool import Spool

REMEMBERED = 256
"""How many fates are remembered by the event's id."""
TRACES_SHARE = 0.25
"""Durations wait in this share of the space at most, so that they never take it from errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Is what became of every event: captured + inherited = delivered + spooled + dropped, once the work is quiet."""

    captured: int
    inherited: int
    """Left behind by processes that ended before they could deliver them."""
    delivered: int
    spooled: int
    """Waiting, in a file where the disk allows it."""
    dropped: Mapping[str, int]
    """By reason."""
    is_durable: bool
    """Whether what is spooled outlives the process."""

    @property
    def is_balanced(self) -> bool:
        """Whether nothing is missing."""
        return self.captured + self.inherited == self.delivered + self.spooled + sum(self.dropped.values())


@dataclass(frozen=True, slots=True)
class Parcel:
    """Is one event as it will be sent."""

    event_id: str
    category: str
    """`error` or `transaction`, as limits of the server name them."""
    line: bytes
    """The event as JSON, on one line."""


class Outbox:
    """Keeps events in the order they came until each has its fate. Safe for threads."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.spool = Spool(folder, limit_bytes)
        self.begin()

    def begin(self) -> None:
        """Start empty."""
        self.news = Condition()
        self.pending: deque[Parcel] = deque()
        self.pending_bytes = 0
        self.captured = self.inherited = self.delivered = 0
        self.dropped: Counter[str] = Counter()
        self.fates: OrderedDict[str, str] = OrderedDict()

    def count_captured(self) -> None:
        """Note that something happened which should become an event."""
        with self.news:
            self.captured += 1

    def count_dropped(self, reason: str, quantity: int = 1) -> None:
        """Note that it will not."""
        with self.news:
            self.dropped[reason] += quantity

    def put(self, parcel: Parcel) -> None:
        """Keep an event, first of all on disk; it is dropped when there is no room."""
        share = TRACES_SHARE if parcel.category == "transaction" else 1
        with self.news:
            if self.pending_bytes + len(parcel.line) > self.limit_bytes * share:
                self.settle(parcel, "spool_full")
                return
            self.spool.append(parcel.line)
            self.keep(parcel)
            self.news.notify_all()

    def keep(self, parcel: Parcel) -> None:
        """Queue a parcel; the lock is held."""
        self.pending.append(parcel)
        self.pending_bytes += len(parcel.line)

    def adopt(self) -> None:
        """Take over the events of processes that ended."""
        with self.news:
            lines, damaged = self.spool.adopt()
            self.inherited += len(lines) + damaged
            if damaged:
                self.dropped["damaged"] += damaged
            for line in lines:
                self.keep(parcel_of(line))

    def first(self) -> Parcel | None:
        """Return the event that is next."""
        with self.news:
            return self.pending[0] if self.pending else None

    def finish(self, parcel: Parcel, fate: str) -> None:
        """Let go of the first event: `delivered`, or the reason why it is dropped."""
        with self.news:
            if not self.pending or self.pending[0] is not parcel:
                return  # A fork emptied the outbox meanwhile: the parcel is the parent's.
            self.pending.popleft()
            self.pending_bytes -= len(parcel.line)
            self.spool.remove_first(parcel.line, [each.line for each in self.pending] if self.must_rewrite else ())
            self.settle(parcel, fate)
            self.news.notify_all()

    @property
    def must_rewrite(self) -> bool:
        """Whether the file is to be written anew; the lock is held."""
        return not self.spool.is_durable or self.spool.is_overgrown

    def settle(self, parcel: Parcel, fate: str) -> None:
        """Book a fate; the lock is held."""
        if fate == "delivered":
            self.delivered += 1
        else:
            self.dropped[fate] += 1
        self.fates[parcel.event_id] = fate
        if len(self.fates) > REMEMBERED:
            self.fates.popitem(last=False)

    def wait(self, deadline: float, is_enough: Callable[[], bool]) -> bool:
        """Wait for a condition on the outbox until the deadline; return whether it came."""
        with self.news:
            while not is_enough():
                left_s = deadline - monotonic()
                if left_s <= 0:
                    return False
                self.news.wait(left_s)
            return True

    def account(self) -> Account:
        """Return the account as it stands."""
        with self.news:
            return Account(
                captured=self.captured,
                inherited=self.inherited,
                delivered=self.delivered,
                spooled=len(self.pending),
                dropped=MappingProxyType(dict(self.dropped)),
                is_durable=self.spool.is_durable,
            )

    def forget(self) -> None:
        """Begin anew in a child after a fork: what waits is the parent's."""
        self.spool.orphan()
        self.begin()

    def close(self) -> None:
        """Close the file; what still waits stays in it for the next process."""
        with self.news:
            self.spool.close()


def parcel_of(line: bytes) -> Parcel:
    """Return an event of an earlier process."""
    event = json.loads(line)
    return Parcel(event["event_id"], "transaction" if event.get("type") == "transaction" else "error", line)
