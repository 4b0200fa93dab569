"""A check that runs beside the requests: its answer never waits, and never outlives its truth."""

import threading
from collections.abc import Callable
from time import monotonic

import pytest

from trueup.errors import UsageError
from trueup.health.model import Answer, Status
from trueup.health.watch import Moment, Watch

FINE = Answer(status=Status.OK, figures={"keys": 1})


def until(condition: Callable[[], bool]) -> bool:
    deadline = monotonic() + 5
    pause = threading.Event()
    while not condition() and monotonic() < deadline:
        pause.wait(0.002)
    return condition()


def test_answer_is_the_last_one_with_its_age() -> None:
    with Watch("keys", lambda: FINE, interval_s=60) as watch:
        assert until(lambda: watch.answer().status is Status.OK)

        found = watch.answer()

    assert found.figures == {"keys": 1}
    assert 0 <= found.age_s < 5


def test_before_the_first_answer_nothing_is_well() -> None:
    assert Watch("keys", lambda: FINE).answer() == Answer(status=Status.FAIL, reason="not asked yet")


def test_hung_check_fails_within_its_deadline_and_is_asked_only_once() -> None:
    """W-H6: a check that hangs holds up nobody, and doesn't pile up."""
    calls, let_go = [], threading.Event()

    def hang() -> Answer:
        calls.append(1)
        let_go.wait(10)
        return FINE

    with Watch("keys", hang, interval_s=0.001, deadline_s=0.01) as watch:
        assert until(lambda: watch.answer().reason == "no answer within its deadline")
        assert watch.answer().status is Status.FAIL
        assert len(calls) == 1
        let_go.set()
        assert until(lambda: watch.answer().status is Status.OK)


def test_answer_that_is_too_old_is_a_failure() -> None:
    watch = Watch("keys", lambda: FINE, interval_s=1, deadline_s=1)

    watch.moment = Moment(None, FINE, monotonic() - 3.9)
    assert watch.answer().status is Status.OK
    watch.moment = Moment(None, FINE, monotonic() - 4.1)
    assert watch.answer().reason == "the last answer is too old"
    assert watch.answer().status is Status.FAIL


@pytest.mark.parametrize("error", [UsageError("+79990000001 is wrong"), ZeroDivisionError("+79990000001")])
def test_error_of_a_check_is_a_failure_by_its_name_alone(error: Exception) -> None:
    """W-H1: no text of an error reaches a page."""

    def fail() -> Answer:
        raise error

    found = Watch("keys", fail).ask()

    assert found == Answer(status=Status.FAIL, reason=type(error).__name__)


def test_broken_check_is_asked_again() -> None:
    failures = [ZeroDivisionError()]

    def check() -> Answer:
        if failures:
            raise failures.pop()
        return FINE

    with Watch("keys", check, interval_s=0.001) as watch:
        assert until(lambda: watch.answer().status is Status.OK)


def test_end_of_a_watch_ends_its_thread() -> None:
    with Watch("keys", lambda: FINE, interval_s=60) as watch:
        assert until(lambda: watch.answer().status is Status.OK)

    assert not watch.thread.is_alive()
