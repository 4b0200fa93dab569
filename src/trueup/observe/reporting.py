"""What other layers call: it reports while tracking is on, costs next to nothing while it is off, and never raises."""

import random
from collections.abc import Callable
from contextvars import ContextVar
from enum import Enum
from time import monotonic, time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar
from uuid import uuid4

from trueup.errors import DatabaseError
from trueup.observe.event import SPANS, Span
from trueup.observe.incident import places, warning
from trueup.observe.marks import Place, note_place
from trueup.observe.status import Probe, Status

if TYPE_CHECKING:
    from trueup.observe.tracker import Tracker

CheckInStatus = Literal["in_progress", "ok", "error"]
SLOW_S = 0.5
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


class Recording:
    """Is the durations of an operation, as far as it has got; one that is not drawn records nothing."""

    __slots__ = ("innermost", "is_covered", "is_drawn", "owner", "spans", "trace_id")

    def __init__(self, *, is_drawn: bool) -> None:
        self.is_drawn = is_drawn
        self.trace_id = uuid4().hex if is_drawn else ""
        self.spans: list[Span] = []
        self.innermost: str | None = None
        self.is_covered = False
        """Whether an operation on a table is under way: it reports what leaves it, and knows more than those below."""
        self.owner: Place | None = None
        """The call of an API in whose name everything inside is reported, once it leaves that call."""


RECORDING: ContextVar[Recording | None] = ContextVar("trueup_recording", default=None)


class Operation:
    """Is one operation of a layer, for as long as its block lasts: reported when it fails or takes too long."""

    __slots__ = ("is_outermost", "outer_id", "place", "recording", "span_id", "started", "tracker", "was_covered")

    def __init__(self, tracker: "Tracker", place: Place) -> None:
        self.tracker = tracker
        self.place = place

    def __enter__(self) -> None:
        self.enter()

    def enter(self) -> Recording:
        """Begin, and return what is recorded."""
        recording = RECORDING.get()
        self.is_outermost = recording is None
        if recording is None:
            recording = Recording(is_drawn=random.random() < self.tracker.traces_share)  # noqa: S311
            RECORDING.set(recording)
        self.recording = recording
        self.was_covered = recording.is_covered
        recording.is_covered |= self.place.table is not None
        if recording.is_drawn:
            self.outer_id, self.span_id = recording.innermost, uuid4().hex[:16]
            recording.innermost = self.span_id
        self.started = monotonic()
        return recording

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = monotonic() - self.started
        try:
            if isinstance(error, Exception):
                self.fail(error, seconds)
            elif seconds > SLOW_S and error is None and self.recording.owner is not self.place:
                self.tracker.report(slow(self.place, seconds))
        finally:
            self.recording.is_covered = self.was_covered
            if self.recording.is_drawn:
                self.record(seconds)
            if self.is_outermost:
                RECORDING.set(None)

    def fail(self, error: Exception, seconds: float) -> None:
        """Report an exception, or leave that to the call of the API that it happened in."""
        owner = self.recording.owner
        if owner is None or owner is self.place:
            fail(self.tracker, error, self.place, seconds)
        else:
            note_place(error, Place(owner.component, owner.operation, self.place.table))

    def record(self, seconds: float) -> None:
        """Note the duration; the outermost operation sends all of them."""
        recording, now = self.recording, time()
        recording.innermost = self.outer_id
        if self.is_outermost or len(recording.spans) < SPANS:
            recording.spans.append(
                Span(
                    span_id=self.span_id,
                    parent_id=self.outer_id,
                    component=self.place.component,
                    operation=self.place.operation,
                    table=self.place.table,
                    started=now - seconds,
                    ended=now,
                )
            )
        if self.is_outermost:
            self.tracker.report_trace([recording.spans[-1], *recording.spans[:-1]], recording.trace_id)


class ApiCall(Operation):
    """Is one call of an API: what fails inside is reported as its failure, when it leaves the outermost such call."""

    __slots__ = ("is_owner",)

    def __enter__(self) -> None:
        recording = self.enter()
        self.is_owner = recording.owner is None
        if self.is_owner:
            recording.owner = self.place
            recording.is_covered = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            super().__exit__(kind, error, trace)
        finally:
            if self.is_owner:
                self.recording.owner = None


class Nothing:
    """Is an operation while tracking is off."""

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exception: object) -> None:
        return None


NOTHING = Nothing()


def operation(component: str, name: str, table: str | None = None) -> Operation | Nothing:
    """Watch one operation of a layer for a block: it is reported when it fails, or when it takes over 500 ms."""
    tracker = SWITCH.tracker
    return NOTHING if tracker is None else Operation(tracker, Place(component, name, table))


def api_call(component: str, name: str) -> ApiCall | Nothing:
    """Watch one call of an API for a block: whatever fails inside is reported once, as this call's failure.

    An error that is handled within the call is not reported: it did not fail.
    """
    tracker = SWITCH.tracker
    return NOTHING if tracker is None else ApiCall(tracker, Place(component, name, None))


def report_failure(error: BaseException, *, component: str, operation: str, table: str | None = None) -> None:
    """Report an exception where it leaves a layer; one that was reported further in is not reported again.

    Within an operation on a table nothing is reported: the operation does so itself if the exception leaves it.
    """
    tracker = SWITCH.tracker
    if tracker is None or not isinstance(error, Exception):
        return
    recording = RECORDING.get()
    if recording is None or not recording.is_covered:
        fail(tracker, error, Place(component, operation, table), None)


def fail(tracker: "Tracker", error: Exception, place: Place, seconds: float | None) -> None:
    """Report an exception, unless it is to be tried again."""
    note_place(error, place)
    if RETRYING.get() and isinstance(error, DatabaseError) and error.retryable:
        return
    tracker.report_failure(error, place, {} if seconds is None else {"duration_ms": round(1000 * seconds, 3)})


def slow(place: Place, seconds: float) -> Any:
    """Return the warning about a slow query; all of them are one problem."""
    return warning(
        "slow query",
        component=place.component,
        operation=place.operation,
        table=place.table,
        measures={"duration_ms": round(1000 * seconds, 3), "threshold_ms": 1000 * SLOW_S},
    )


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
    """Report a warning of a pool, with the place where the connection was taken."""
    tracker = SWITCH.tracker
    if tracker is not None:
        tracker.report(
            warning(
                title,
                component="db",
                operation="pool",
                frames=places(event.detail),
                measures={"in_use": event.in_use, "max_size": event.max_size, "duration_ms": 1000 * event.seconds},
            )
        )


def report_warning(title: str, *, component: str, operation: str, **measures: float) -> bool:
    """Report something that is no exception, under one of a few fixed titles; return whether tracking is on."""
    tracker = SWITCH.tracker
    if tracker is None:
        return False
    tracker.report(warning(title, component=component, operation=operation, measures=measures))
    return True


def check_in(monitor: str, status: CheckInStatus, *, check_in_id: str, seconds: float | None) -> bool:
    """Tell a cron monitor of a run's beginning or end; return whether the server took it. It is tried once."""
    tracker = SWITCH.tracker
    return tracker is not None and tracker.check_in(monitor, status, check_in_id, seconds)


def status() -> Status:
    """Return whether tracking is live, and what became of every event."""
    tracker = SWITCH.tracker
    return Status(is_enabled=False, reason=SWITCH.reason) if tracker is None else tracker.status()


def send_test_event(timeout_s: float = 5.0) -> Probe:
    """Send an event to see it arrive, and return what became of it."""
    tracker = SWITCH.tracker
    if tracker is None:
        return Probe(is_delivered=False, event_id=None, reason=f"tracking is off: {SWITCH.reason}")
    return tracker.probe(timeout_s)


def flush(timeout_s: float = 2.0) -> bool:
    """Deliver what waits; return whether nothing is left. What is left stays in a file for the next process."""
    tracker = SWITCH.tracker
    return tracker is None or tracker.flush(timeout_s)
