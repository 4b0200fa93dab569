"""The thread that delivers what is in the outbox, waits while the server is away, and tells what was held back."""

import contextlib
from collections.abc import Callable
from threading import Lock, Thread
from time import monotonic
from typing import Protocol

from trueup.observe.mail import Answer
from trueup.observe.outbox import Outbox, Parcel

FIRST_PAUSE_S = 0.5
LAST_PAUSE_S = 60.0
TICK_S = 60.0
FORK_S = 1.0
"""How long a fork waits for the delivery in hand."""
UNWANTED = "rate_limited_by_server"


class Sender(Protocol):
    """Sends one event and returns the answer."""

    def send(self, parcel: Parcel) -> Answer:
        """Send an event."""

    def close(self) -> None:
        """Close the connections."""


class Courier:
    """Delivers events one after the other, in a thread that starts when the first one comes."""

    def __init__(self, outbox: Outbox, open_mail: Callable[[], Sender], tick: Callable[[], float]) -> None:
        self.outbox = outbox
        self.open_mail = open_mail
        self.tick = tick
        """Does what is due, and returns when something is due next."""
        self.begin()

    def begin(self) -> None:
        """Start without a thread."""
        self.lock = Lock()
        self.at_work = Lock()
        """Held while libraries are used that can't be forked in the middle: imports, name look-ups, TLS."""
        self.thread: Thread | None = None
        self.is_stopped = False
        self.pauses: dict[str, float] = {}
        """Until when the server wants nothing, by category."""
        self.retry_at = 0.0
        self.pause_s = FIRST_PAUSE_S
        self.failures = self.calls = 0
        self.last_status: int | None = None

    def start(self) -> None:
        """See that the thread runs."""
        with self.lock:
            if self.thread is None and not self.is_stopped:
                self.thread = Thread(target=self.run, name="trueup courier", daemon=True)
                self.thread.start()

    def run(self) -> None:
        """Deliver until told to stop."""
        next_tick = 0.0
        with self.at_work:
            opened = self.open_mail()
        with contextlib.closing(opened) as mail:
            while not self.is_stopped:
                calls = self.calls
                if monotonic() >= next_tick:
                    next_tick = self.safe_tick()
                parcel = self.outbox.first()
                if parcel is None:
                    self.rest_until(next_tick, calls, is_empty=True)
                elif not self.accepts(parcel.category):
                    self.outbox.finish(parcel, UNWANTED)
                elif (ready_at := self.ready_at(parcel)) > monotonic():
                    self.rest_until(min(ready_at, next_tick), calls, is_empty=False)
                else:
                    self.deliver(parcel, mail)

    def safe_tick(self) -> float:
        """Do what is due; what goes wrong there must not end the thread."""
        try:
            return self.tick()
        except Exception:  # noqa: BLE001
            return monotonic() + TICK_S

    def ready_at(self, parcel: Parcel) -> float:
        """Return from when on the server may be asked to take an event."""
        return max(self.retry_at, self.pauses.get("", 0.0), self.pauses.get(parcel.category, 0.0))

    def deliver(self, parcel: Parcel, mail: Sender) -> None:
        """Try to deliver one event."""
        try:
            with self.at_work:
                answer = mail.send(parcel)
        except Exception:  # noqa: BLE001
            answer = Answer(status=None)
        self.last_status = answer.status
        now = monotonic()
        self.pauses.update({category: now + pause_s for category, pause_s in answer.pauses.items()})
        if (fate := answer.fate) is not None:
            self.pause_s = FIRST_PAUSE_S
            self.outbox.finish(parcel, fate)
        else:
            self.retry_at = now + self.pause_s
            self.pause_s = min(2 * self.pause_s, LAST_PAUSE_S)
            with self.outbox.news:
                self.failures += 1
                self.outbox.news.notify_all()

    def accepts(self, category: str) -> bool:
        """Return whether to keep events of a category: durations are not worth the wait, errors always are."""
        return category != "transaction" or self.pauses.get(category, 0.0) <= monotonic()

    def rest_until(self, moment: float, calls: int, *, is_empty: bool) -> None:
        """Wait until a moment, a call, or the first event in an outbox that was empty."""
        self.outbox.wait(
            moment, lambda: self.is_stopped or self.calls != calls or (is_empty and bool(self.outbox.pending))
        )

    def wake(self) -> None:
        """Let the thread look again at once, as if the server had never been away."""
        with self.outbox.news:
            self.calls += 1
            self.retry_at = 0.0
            self.outbox.news.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Deliver what waits; return whether all of it was settled before the time ran out or the server failed."""
        self.start()
        failures = self.failures
        self.wake()
        self.outbox.wait(
            monotonic() + timeout_s, lambda: not self.outbox.pending or self.failures > failures or self.is_paused()
        )
        return not self.outbox.pending

    def is_paused(self) -> bool:
        """Return whether the first event may not be sent yet because the server said so, and is kept until then."""
        category = self.outbox.pending[0].category
        return self.accepts(category) and max(self.pauses.get("", 0.0), self.pauses.get(category, 0.0)) > monotonic()

    def pause(self) -> bool:
        """Let the delivery in hand end, for a moment, and begin no other; return whether it did."""
        return self.at_work.acquire(timeout=FORK_S)

    def stop(self, timeout_s: float) -> None:
        """End the thread."""
        with self.outbox.news:
            self.is_stopped = True
            self.outbox.news.notify_all()
        if self.thread is not None:
            self.thread.join(timeout_s)
