"""What a pool tells about itself: an event when something happens, statistics when asked."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """Is what happened to a connection, or to somebody who wants one."""

    CONNECT = "connect"
    CONNECT_FAILED = "connect_failed"
    CHECKOUT = "checkout"
    RETURN = "return"
    WAIT = "wait"
    TIMEOUT = "timeout"
    REPLACE = "replace"
    """Its lifetime was over, or it changed its session."""
    DISCARD = "discard"
    """It was broken, or came back inside a transaction."""
    CLOSE = "close"
    """It was idle for too long, or the pool was closed."""
    USAGE = "usage"
    """More connections are in use than `usage_warning` allows."""
    LONG_HOLD = "long_hold"
    LONG_HOLD_ENDED = "long_hold_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolEvent:
    """Is one thing that happened, as it stood right then."""

    kind: Kind
    in_use: int
    """Connections that are checked out; open ones that wait for work don't count."""
    max_size: int
    seconds: float = 0.0
    """How long it took: the wait, the hold."""
    detail: str = ""
    """The stack of a checkout, or the reason; no value of a row."""


Listener = Callable[[PoolEvent], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Is the state of a pool at one moment, and its sums since it was made."""

    max_size: int
    in_use: int
    idle: int
    opening: int
    leaving: int
    """Closed here, and its backend not yet known to be gone: it still counts against `max_size`."""
    waiting: int
    checkouts: int
    waits: int
    timeouts: int
    connects: int
    connects_failed: int
    replaced: int
    discarded: int
    closed: int
    long_holds: int
    waiting_s: float
    """Callers' time spent on waiting for a connection."""
    exchange_s: float
    """Callers' time spent on waiting for the server, while they held a connection."""
    held_s: float
    """Callers' time with a connection in hand; less `exchange_s`, it is decoding and their own work."""

    @property
    def usage(self) -> float:
        """The share of the budget that is checked out."""
        return self.in_use / self.max_size
