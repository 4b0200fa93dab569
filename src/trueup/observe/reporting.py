"""What other layers call: it reports while tracking is on, costs next to nothing while it is off, and never raises.

It imports nothing: what it takes to report is imported by whoever switches tracking on.
"""

from collections.abc import Callable
from contextvars import ContextVar
from enum import Enum
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    from trueup.observe.operations import ApiCall, Operation
    from trueup.observe.tracker import Tracker

CheckInStatus = Literal["in_progress", "ok", "error"]
POOL_WARNINGS = {
    "usage": "nearly all connections of the pool are in use",
    "long_hold": "a connection is held for long",
    "long_hold_ended": "a connection that was held for long came back",
}


class Switch:
    """Is whether tracking is on in this process."""

    __slots__ = ("reason", "tracker")

    def __init__(self) -> None:
        self.tracker: Tracker | None = None
        self.reason = "instrument() was not called"


SWITCH = Switch()
RETRYING: ContextVar[bool] = ContextVar("trueup_retrying", default=False)


class Nothing:
    """Is an operation while tracking is off."""

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exception: object) -> None:
        return None


NOTHING = Nothing()


def operation(component: str, name: str, table: str | None = None) -> "Operation | Nothing":
    """Watch one operation of a layer for a block: it is reported when it fails, or when it takes over 500 ms."""
    tracker = SWITCH.tracker
    return NOTHING if tracker is None else tracker.operation(component, name, table)


def api_call(component: str, name: str) -> "ApiCall | Nothing":
    """Watch one call of an API for a block: whatever fails inside is reported once, as this call's failure.

    An error that is handled within the call is not reported: it did not fail.
    """
    tracker = SWITCH.tracker
    return NOTHING if tracker is None else tracker.api_call(component, name)


def report_failure(error: BaseException, *, component: str, operation: str, table: str | None = None) -> None:
    """Report an exception where it leaves a layer; one that was reported further in is not reported again.

    Within an operation on a table nothing is reported: the operation does so itself if the exception leaves it.
    """
    tracker = SWITCH.tracker
    if tracker is not None and isinstance(error, Exception):
        tracker.report_left(error, component, operation, table)


class Retrying:
    """Is an attempt that is not the last one: what it fails with is not reported if it is worth another."""

    __slots__ = ("before",)

    def __enter__(self) -> None:
        self.before = RETRYING.get()
        RETRYING.set(True)

    def __exit__(self, *exception: object) -> None:
        RETRYING.set(self.before)


def retrying(*, is_last: bool) -> Retrying | Nothing:
    """Hold back failures that will be tried again, for one attempt; whoever gives up reports the last one."""
    return NOTHING if is_last or SWITCH.tracker is None else Retrying()


class PoolEvent(Protocol):
    """Is what a pool tells; trueup.db.events has it."""

    @property
    def kind(self) -> Enum:
        """What happened."""

    @property
    def in_use(self) -> int:
        """Connections that are checked out."""

    @property
    def max_size(self) -> int:
        """How many there may be."""

    @property
    def seconds(self) -> float:
        """How long it took."""

    @property
    def detail(self) -> str:
        """The stack of a checkout."""


Event = TypeVar("Event", bound=PoolEvent)


def listening(listener: Callable[[Event], None] | None) -> Callable[[Event], None] | None:
    """Return a pool's listener that reports warnings as well; the same, even None, while tracking is off."""
    if SWITCH.tracker is None:
        return listener

    def listen(event: Event) -> None:
        if (title := POOL_WARNINGS.get(event.kind.value)) is not None:
            report_pool(title, event)
        if listener is not None:
            listener(event)

    return listen


def report_pool(title: str, event: PoolEvent) -> None:
    """Report a warning of a pool."""
    tracker = SWITCH.tracker
    if tracker is not None:
        tracker.warn_of_pool(title, event)


def report_warning(title: str, *, component: str, operation: str, **measures: float) -> bool:
    """Report something that is no exception, under one of a few fixed titles; return whether tracking is on."""
    tracker = SWITCH.tracker
    if tracker is None:
        return False
    tracker.warn(title, component, operation, measures)
    return True


def check_in(monitor: str, status: CheckInStatus, *, check_in_id: str, seconds: float | None) -> bool:
    """Tell a cron monitor of a run's beginning or end; return whether the server took it. It is tried once."""
    tracker = SWITCH.tracker
    return tracker is not None and tracker.check_in(monitor, status, check_in_id, seconds)


def flush(timeout_s: float = 2.0) -> bool:
    """Deliver what waits; return whether nothing is left. What is left stays in a file for the next process."""
    tracker = SWITCH.tracker
    return tracker is None or tracker.flush(timeout_s)
