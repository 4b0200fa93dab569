"""What a pool tells when it is asked."""

from dataclasses import dataclass


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
