"""Operations of a layer while they are watched: what fails in them, and how long they take.

This module is imported only when there is somebody to report to.
"""

import random
from contextvars import ContextVar
from time import monotonic, time
from types import TracebackType
from typing import TYPE_CHECKING
from uuid import uuid4

from trueup.errors import DatabaseError
from trueup.observe.event import SPANS, Span
from trueup.observe.incident import Incident, places, warning
from trueup.observe.marks import Place, note_place
from trueup.observe.reporting import RETRYING, PoolEvent

if TYPE_CHECKING:
    from trueup.observe.tracker import Tracker

SLOW_S = 0.5


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


def report_failure(tracker: "Tracker", error: Exception, place: Place) -> None:
    """Report an exception where it leaves a layer, unless an operation on a table does so if it leaves that."""
    recording = RECORDING.get()
    if recording is None or not recording.is_covered:
        fail(tracker, error, place, None)


def fail(tracker: "Tracker", error: Exception, place: Place, seconds: float | None) -> None:
    """Report an exception, unless it is to be tried again."""
    note_place(error, place)
    if RETRYING.get() and isinstance(error, DatabaseError) and error.retryable:
        return
    tracker.report_failure(error, place, {} if seconds is None else {"duration_ms": round(1000 * seconds, 3)})


def slow(place: Place, seconds: float) -> Incident:
    """Return the warning about a slow query; all of them are one problem."""
    return warning(
        "slow query",
        component=place.component,
        operation=place.operation,
        table=place.table,
        measures={"duration_ms": round(1000 * seconds, 3), "threshold_ms": 1000 * SLOW_S},
    )


def pool_warning(title: str, event: PoolEvent) -> Incident:
    """Return the warning of a pool, with the place where the connection was taken."""
    return warning(
        title,
        component="db",
        operation="pool",
        frames=places(event.detail),
        measures={"in_use": event.in_use, "max_size": event.max_size, "duration_ms": 1000 * event.seconds},
    )
