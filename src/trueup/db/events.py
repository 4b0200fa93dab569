"""What a pool tells when something happens; what it tells when it is asked is in `statistics`."""

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
