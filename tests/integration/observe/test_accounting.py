"""What became of every event: under load, with the server away, and across the end of processes."""

import signal
import subprocess
import sys
import textwrap

import pytest
from tests.integration.observe.receiver import until

from trueup import observe
from trueup.errors import Conflict, Duplicate
from trueup.observe import courier
from trueup.observe.limit import Allowance


def fail(number: int) -> None:
    error = Duplicate("", sqlstate="23505", table="public.clients", constraint=f"key_{number}")
    observe.report_failure(error, component="tables", operation="insert")


def constraints(events) -> list[str]:
    return [event["tags"]["constraint"] for event in events]


@pytest.mark.parametrize("events", [1_000, pytest.param(5_000, marks=pytest.mark.long)])
def test_burst_arrives_whole_and_in_order(receiver, track, events):
    """The SDK's own queue lost 291 of 400; here the server fails in the middle as well."""
    tracker = track(receiver.dsn)
    for number in range(events):
        if number == events // 2:
            receiver.status = 503
        fail(number)
    account = tracker.outbox.account()
    assert (account.captured, account.delivered + account.spooled, dict(account.dropped)) == (events, events, {})
    assert account.spooled >= events // 2

    receiver.status = 200
    until(lambda: observe.flush(5), 120)

    account = tracker.outbox.account()
    assert (account.captured, account.delivered, account.spooled, dict(account.dropped)) == (events, events, 0, {})
    assert constraints(receiver.errors) == [f"key_{number}" for number in range(events)]


def test_events_wait_while_the_server_is_away(receiver, track, tmp_path):
    """The SDK lost each of them, without another try."""
    tracker = track(receiver.dsn)
    receiver.stop()
    for number in range(50):
        fail(number)
    assert not observe.flush(5)
    assert (tracker.outbox.account().delivered, tracker.outbox.account().spooled) == (0, 50)

    receiver.start()

    until(lambda: len(receiver.errors) == 50)
    until(lambda: tracker.outbox.account().delivered == 50)
    assert tracker.outbox.account().is_balanced
    assert constraints(receiver.errors) == [f"key_{number}" for number in range(50)]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_busy_server_gets_its_events_later(receiver, track, status, monkeypatch):
    monkeypatch.setattr(courier, "FIRST_PAUSE_S", 0.02)
    tracker = track(receiver.dsn)
    receiver.status = status
    receiver.headers = {"Retry-After": "1"}
    fail(1)
    until(lambda: receiver.raw)

    receiver.status, receiver.headers = 200, {}

    until(lambda: constraints(receiver.errors) == ["key_1"])
    until(lambda: tracker.outbox.account().delivered == 1)


def test_event_that_the_server_refuses_is_dropped_with_the_reason(receiver, track):
    tracker = track(receiver.dsn)
    receiver.status = 403
    fail(1)
    fail(2)

    assert observe.flush(10)

    account = tracker.outbox.account()
    assert dict(account.dropped) == {"status_403": 2}
    assert account.is_balanced
    assert tracker.status().reason == "the last delivery was answered 403"


def test_durations_that_the_server_does_not_want_do_not_hold_errors_up(receiver, track):
    """A server may take errors alone, and says so for a day."""
    tracker = track(receiver.dsn, traces_share=1.0)
    receiver.headers = {"X-Sentry-Rate-Limits": "86400:transaction;span:organization"}
    for number in range(3):
        with observe.operation("tables", "find_one"):
            pass
        fail(number)

    assert observe.flush(10)

    account = tracker.outbox.account()
    assert constraints(receiver.errors) == ["key_0", "key_1", "key_2"]
    assert account.dropped.get("rate_limited_by_server", 0) == 3 - len(receiver.traces)
    assert account.is_balanced


def test_storm_of_equal_errors_sends_ten_a_minute_and_the_count(receiver, track):
    """W-S4."""
    tracker = track(receiver.dsn, errors=Allowance(events=10, window_s=60.0))
    for _ in range(10_000):
        observe.report_failure(Conflict("", sqlstate="40001"), component="db", operation="commit")

    assert observe.flush(10)
    assert observe.flush(10)

    assert len(receiver.errors) == 10
    assert sum(event["extra"].get("suppressed", 0) for event in receiver.errors) == 10_000 - 9
    account = tracker.outbox.account()
    assert (account.captured, account.delivered) == (10_001, 10)  # The event with the count is one more.
    assert dict(account.dropped) == {"rate_limited": 9_991}
    assert account.is_balanced


def test_count_is_told_although_nothing_follows(receiver, track):
    track(receiver.dsn, errors=Allowance(events=2, window_s=0.4))
    for _ in range(100):
        observe.report_failure(Conflict("", sqlstate="40001"), component="db", operation="commit")

    until(lambda: len(receiver.errors) == 2)

    assert receiver.errors[1]["extra"]["suppressed"] == 99


def test_test_event_says_that_it_arrived(receiver, track):
    track(receiver.dsn)

    probe = observe.send_test_event()

    assert probe.is_delivered
    assert receiver.errors[0]["event_id"] == probe.event_id


def test_test_event_says_why_it_did_not_arrive(receiver, track):
    track(receiver.dsn)
    receiver.stop()

    probe = observe.send_test_event(2)

    assert not probe.is_delivered
    assert probe.reason.startswith("the server could not be reached")
    receiver.start()


def test_wrong_key_is_named_by_its_status(receiver, track):
    track(receiver.dsn)
    receiver.status = 403

    assert observe.send_test_event().reason.startswith("status_403")


def test_status_shows_the_host_and_no_key(receiver, track):
    track(receiver.dsn)

    found = observe.status()

    assert found.is_enabled
    assert found.host == "127.0.0.1"
    assert "s3cr3tkey" not in repr(found)


class Vicious(Exception):
    __cause__ = property(lambda self: 1 / 0)  # type: ignore[assignment]


def test_capturing_never_raises_and_never_replaces_the_error(receiver, track):
    """W-S5, W-A5, W-R11: the code that captures threw, and hid what it should have captured."""
    tracker = track(receiver.dsn)
    error, caught = Vicious("+70001230022"), None

    try:
        with observe.operation("tables", "insert"):
            raise error
    except Exception as found:  # noqa: BLE001 - pytest itself can't look at this one
        caught = found

    observe.flush(10)
    assert caught is error
    assert tracker.outbox.account().is_balanced
    assert tracker.outbox.account().captured == 1


def test_folder_that_cannot_be_written_costs_durability_alone(receiver, track, tmp_path):
    (tmp_path / "events").write_text("in the way")
    tracker = track(receiver.dsn)
    fail(1)

    assert observe.flush(10)

    assert constraints(receiver.errors) == ["key_1"]
    assert tracker.outbox.account().is_balanced


PROGRAM = """
    import os, signal, sys, threading
    from pathlib import Path
    from trueup import observe
    from trueup.conninfo import Secret
    from trueup.errors import Duplicate
    from trueup.settings import ObserveSettings

    observe.instrument(ObserveSettings(
        dsn=Secret({dsn!r}), release="r", environment="test", spool_folder=Path({folder!r}), traces_share=0.0))

    def fail(number):
        error = Duplicate("", sqlstate="23505", constraint="key_" + str(number))
        observe.report_failure(error, component="tables", operation="insert")

    for number in range(5):
        fail(number)
"""


def run(receiver, tmp_path, end: str, **options) -> subprocess.CompletedProcess[str]:
    program = textwrap.dedent(PROGRAM).format(dsn=receiver.dsn.reveal(), folder=str(tmp_path / "events"))
    return subprocess.run(
        [sys.executable, "-c", program + textwrap.dedent(end)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


ENDS = {
    "end of the program": ("", 0),
    "sys.exit": ("sys.exit(3)", 3),
    "uncaught error": ("raise Duplicate('+70001230022')", 1),
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM)\nthreading.Event().wait(30)", -signal.SIGTERM),
}


@pytest.mark.parametrize("end", ENDS)
def test_events_are_delivered_when_the_process_ends(receiver, tmp_path, end):
    """SIGTERM lost all of them, and W-S4: nothing was flushed on exit."""
    code, expected = ENDS[end]
    receiver.seconds = 0.05

    done = run(receiver, tmp_path, code)

    assert done.returncode == expected, done.stderr
    found = [event["tags"].get("constraint", "uncaught") for event in receiver.errors]
    assert found == [f"key_{n}" for n in range(5)] + ["uncaught"] * (end == "uncaught error")
    assert b"70001230022" not in b"".join(receiver.raw)
    assert [path for path in (tmp_path / "events").rglob("*") if path.is_file()] == []


def test_end_does_not_wait_for_a_server_that_does_not_answer(receiver, tmp_path):
    receiver.seconds = 30.0

    done = run(receiver, tmp_path, "os.kill(os.getpid(), signal.SIGTERM)\nthreading.Event().wait(20)")

    assert done.returncode == -signal.SIGTERM
    receiver.idle.set()
    assert [path for path in (tmp_path / "events").rglob("*") if path.is_file()]


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(1)"], ids=["SIGKILL", "os._exit"])
def test_events_of_a_killed_process_are_delivered_by_the_next_one(receiver, track, tmp_path, end):
    """The SDK lost all of them."""
    receiver.status = 503
    run(receiver, tmp_path, end)
    receiver.status = 200
    assert receiver.errors == []

    tracker = track(receiver.dsn)

    until(lambda: tracker.outbox.account().delivered == 5)
    assert constraints(receiver.errors) == [f"key_{n}" for n in range(5)]
    assert tracker.outbox.account().inherited == 5
    assert tracker.outbox.account().is_balanced


def test_events_for_one_server_are_never_sent_to_another(receiver, track, tmp_path):
    receiver.status = 503
    run(receiver, tmp_path, "os._exit(1)")
    receiver.status = 200
    before = len(receiver.raw)

    other = type(receiver.dsn)(receiver.dsn.reveal().replace("/7", "/8"))
    track(other)
    observe.flush(10)

    assert len(receiver.raw) == before


def test_forked_child_reports_for_itself(receiver, tmp_path):
    done = run(
        receiver,
        tmp_path,
        """
        child = os.fork()
        if child == 0:
            fail(100)
            ok = observe.flush(5)
            account = observe.status().account
            os._exit(0 if ok and account.captured == account.delivered == 1 else 1)
        assert os.waitpid(child, 0)[1] == 0
        fail(200)
        """,
    )

    assert done.returncode == 0, done.stderr
    assert sorted(constraints(receiver.errors)) == sorted([*(f"key_{n}" for n in range(5)), "key_100", "key_200"])


def test_handler_of_the_program_is_left_in_place(receiver, tmp_path):
    done = run(
        receiver,
        tmp_path,
        """
        observe.shut_down()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
        observe.instrument(ObserveSettings(dsn=Secret("http://k@127.0.0.1:9/1"), spool_folder=Path(os.devnull)))
        os.kill(os.getpid(), signal.SIGTERM)
        """,
    )

    assert done.returncode == 7, done.stderr


def test_instrumenting_again_changes_nothing(receiver, tmp_path):
    done = run(
        receiver,
        tmp_path,
        """
        before = observe.status()
        again = observe.instrument(ObserveSettings(dsn=Secret("http://k@127.0.0.2:9/1")))
        assert again.host == before.host == "127.0.0.1", again
        """,
    )

    assert done.returncode == 0, done.stderr


def test_release_is_the_commit_of_the_checkout(receiver, tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("0123456789abcdef0123456789abcdef01234567\n")
    done = run(
        receiver,
        tmp_path,
        """
        observe.shut_down()
        found = observe.instrument(ObserveSettings(dsn=Secret("http://k@127.0.0.1:9/1"), spool_folder=Path("events")))
        assert found.release == "0123456789abcdef0123456789abcdef01234567", found
        """,
        cwd=tmp_path,
        env={"PATH": "", "HOME": str(tmp_path)},
    )

    assert done.returncode == 0, done.stderr
