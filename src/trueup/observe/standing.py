"""Whether failures are reported, as a value that can be shown to anybody."""

from dataclasses import dataclass

from trueup.observe.outbox import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Is whether tracking is live, where it reports to, and what became of every event."""

    is_enabled: bool
    reason: str
    """Why it is off, or how the last delivery went."""
    host: str | None = None
    """The server's name alone: the rest of a DSN is a key."""
    environment: str | None = None
    release: str | None = None
    account: Account | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Is what became of an event that was sent to see whether events arrive."""

    is_delivered: bool
    event_id: str | None
    reason: str
    """`delivered`, or why not and what to do."""
