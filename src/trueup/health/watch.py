"""A check that is asked again and again, beside the requests, so that no request ever waits for it."""

import threading
from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from types import TracebackType
from typing import NamedTuple, Self

from trueup import observe
from trueup.errors import TrueupError
from trueup.health.model import Answer, Status

Check = Callable[[], Answer]


class Moment(NamedTuple):
    """Is what a watch knows at one moment; it is replaced as a whole."""

    running_since: float | None
    answer: Answer | None
    answered_at: float


class Watch:
    """Asks one check in a thread of its own, one call at a time, and tells its last answer at once.

    A check that has been running for longer than `deadline_s` is told as failed until it ends; so is an answer that two
    later ones should have replaced. Errors of a check are a failure, by the name of their type alone.
    """

    def __init__(self, name: str, check: Check, *, interval_s: float = 5.0, deadline_s: float = 1.0) -> None:
        self.name = name
        self.check = check
        self.interval_s = interval_s
        self.deadline_s = deadline_s
        self.stale_after_s = 2 * (interval_s + deadline_s)
        self.moment = Moment(None, None, 0.0)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, name=f"trueup-health-{name}", daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop.set()
        self.thread.join(self.deadline_s)

    def run(self) -> None:
        """Ask until the end of the watch."""
        while not self.stop.is_set():
            self.moment = self.moment._replace(running_since=monotonic())
            self.moment = Moment(None, self.ask(), monotonic())
            self.stop.wait(self.interval_s)

    def ask(self) -> Answer:
        """Return what the check answers, or what kept it from answering."""
        try:
            return self.check()
        except TrueupError as error:
            return Answer(status=Status.FAIL, reason=type(error).__name__)
        except Exception as error:  # noqa: BLE001 — a check that is broken must be told, and must not end the watch
            last = self.moment.answer
            if last is None or last.reason != type(error).__name__:
                observe.report_failure(error, component="health", operation=self.name)
            return Answer(status=Status.FAIL, reason=type(error).__name__)

    def answer(self) -> Answer:
        """Return the last answer with its age, or why there is none to rely on; never waits."""
        now = monotonic()
        running_since, answer, answered_at = self.moment
        if running_since is not None and (running := now - running_since) > self.deadline_s:
            return Answer(status=Status.FAIL, reason="no answer within its deadline", age_s=running)
        if answer is None:
            return Answer(status=Status.FAIL, reason="not asked yet")
        age_s = now - answered_at
        if age_s > self.stale_after_s:
            return Answer(status=Status.FAIL, reason="the last answer is too old", age_s=age_s)
        return replace(answer, age_s=age_s)
