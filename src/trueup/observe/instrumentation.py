"""Where tracking is switched on, once, by an entry point, before it imports anything else; and asked whether it is."""

import atexit
import os
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Protocol

from trueup.conninfo import Secret
from trueup.observe.event import Origin
from trueup.observe.release import find_commit
from trueup.observe.reporting import SWITCH
from trueup.observe.standing import Probe, Status

END_S = 2.0
"""How long the end of the process may wait for events on their way."""


class Tracking(Protocol):
    """Is what `trueup.settings.ObserveSettings` says."""

    @property
    def dsn(self) -> Secret | None:
        """The server and its key."""

    @property
    def is_enabled(self) -> bool:
        """The kill switch."""

    @property
    def environment(self) -> str:
        """Production, staging, development."""

    @property
    def release(self) -> str | None:
        """The commit that runs, if the deployment says it."""

    @property
    def folder(self) -> Path:
        """A folder of the checkout that runs."""

    @property
    def spool_folder(self) -> Path:
        """Where events wait."""

    @property
    def traces_share(self) -> float:
        """The share of operations whose durations are sent."""


def instrument(settings: Tracking) -> Status:
    """Switch tracking on, and have it end with the process; called again, it changes nothing.

    Without a DSN, or with SENTRY_ENABLED=false, nothing is imported and nothing started. SIGTERM is taken over only
    where nobody handles it: events on their way are delivered for up to two seconds, then the process ends by it.
    """
    if SWITCH.tracker is not None:
        return status()
    if not settings.is_enabled:
        SWITCH.reason = "SENTRY_ENABLED is false"
        return status()
    if settings.dsn is None:
        SWITCH.reason = "SENTRY_DSN is not set"
        return status()
    from trueup.observe.tracker import Tracker  # noqa: PLC0415 - the SDK is imported only by who reports

    SWITCH.tracker = Tracker(
        settings.dsn,
        Origin(release=settings.release or find_commit(settings.folder), environment=settings.environment),
        settings.spool_folder,
        traces_share=settings.traces_share,
    )
    watch_end()
    return status()


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


def watch_end() -> None:
    """See to it that events are delivered at the end of the process, and that a fork begins without them."""
    if not WATCHED:
        WATCHED.append(True)
        atexit.register(shut_down)
        os.register_at_fork(before=hold, after_in_parent=go_on, after_in_child=forget)
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, end)


WATCHED: list[bool] = []


def shut_down(timeout_s: float = END_S) -> None:
    """Switch tracking off: deliver what can be delivered in time; the rest waits in its file for the next process."""
    tracker, SWITCH.tracker = SWITCH.tracker, None
    if tracker is not None:
        SWITCH.reason = "it was shut down"
        tracker.close(timeout_s)


def hold() -> None:
    """Be still while the process forks."""
    if SWITCH.tracker is not None:
        SWITCH.tracker.hold()


def go_on() -> None:
    """Go on in the parent after a fork."""
    if SWITCH.tracker is not None:
        SWITCH.tracker.go_on()


def forget() -> None:
    """Begin anew in a child after a fork."""
    if SWITCH.tracker is not None:
        SWITCH.tracker.forget()


def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    """Deliver what can be delivered in time, then end by the signal as if it had not been handled.

    A thread does it: the interrupted code may hold the very locks that delivery needs.
    """
    flusher = threading.Thread(target=shut_down, name="trueup end", daemon=True)
    flusher.start()
    flusher.join(END_S + 0.5)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
