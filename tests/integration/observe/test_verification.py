"""What an error tracker hears of verifications: check-ins of a cron monitor, and each episode's beginning and end."""

import json
from datetime import UTC, datetime

import pytest

from trueup import observe
from trueup.report.model import Report, Section, Verdict
from trueup.settings import Alerts, Settings
from trueup.verify.alarm import Alarm
from trueup.verify.check import Check
from trueup.verify.run import look
from trueup.verify.subject import Subject
from trueup.verify.tracking import lacks_tracking, look_at_tracking

MONITORED = Alerts(sentry=True, monitor="trueup-nightly")


@pytest.fixture
def settings(tmp_path):
    return Settings(cache_folder=tmp_path, alerts=MONITORED, variables={"TRUEUP_STATE_DIR": str(tmp_path / "state")})


def report(*, passes):
    section = Section(check="data", title="Rows", compared={"rows": 1} if passes else {})
    return Report(title="t", version="1", started_at=datetime(2026, 3, 1, tzinfo=UTC), sections=(section,))


def check_ins(receiver):
    return [event for event in receiver.events if "check_in_id" in event]


@pytest.mark.parametrize(("passes", "status"), [(True, "ok"), (False, "error")])
def test_monitor_hears_of_the_beginning_and_the_end(receiver, track, settings, passes, status):
    track(receiver.dsn)

    with Alarm(settings=settings, profile="nightly") as alarm:
        alarm.end(report(passes=passes))

    first, last = check_ins(receiver)
    assert (first["status"], last["status"]) == ("in_progress", status)
    assert first["check_in_id"] == last["check_in_id"]
    assert {first["monitor_slug"], last["monitor_slug"]} == {"trueup-nightly"}
    assert last["duration"] >= 0
    assert b'"type": "check_in"' in receiver.raw[0]


def test_run_that_an_error_ended_is_an_error_of_the_monitor(receiver, track, settings):
    track(receiver.dsn)

    with pytest.raises(ZeroDivisionError), Alarm(settings=settings, profile="nightly"):
        raise ZeroDivisionError

    assert [one["status"] for one in check_ins(receiver)] == ["in_progress", "error"]


def test_check_in_that_nobody_takes_stops_no_run(receiver, track):
    tracker = track(receiver.dsn)
    receiver.stop()

    assert observe.check_in("nightly", "ok", check_in_id="0" * 32, seconds=1.0) is False
    assert not tracker.outbox.pending


def test_check_in_while_tracking_is_off_is_not_sent():
    assert observe.check_in("nightly", "ok", check_in_id="0" * 32, seconds=1.0) is False


def test_episode_is_two_events_free_of_names(receiver, track, settings):
    track(receiver.dsn)

    for passes in (False, False, True, True):
        with Alarm(settings=settings, profile="nightly") as alarm:
            assert alarm.end(report(passes=passes)) == ()
    observe.flush(10)

    events = [event for event in receiver.events if "check_in_id" not in event]
    assert [
        title in json.dumps(event)
        for title, event in zip(("verification does not pass", "verification passes again"), events, strict=True)
    ] == [True, True]


# -- the check itself --------------------------------------------------------------------------------------------------

TRACKING = Check(name="tracking", title="Error tracking", look=look_at_tracking, lacks=lacks_tracking, deadline_s=5)


def tracking(settings):
    class Nobody(Subject):
        connections = ()

    return look(TRACKING, Nobody(source=None, target=None, settings=settings, deadline_s=5), lambda text: None)


def test_tracking_that_takes_an_event_passes(receiver, track, settings):
    track(receiver.dsn)

    assert tracking(settings).verdict is Verdict.PASSED
    assert len(receiver.errors) == 1


def test_tracking_that_takes_none_is_red(receiver, track, settings):
    track(receiver.dsn)
    receiver.status = 403

    found = tracking(settings)

    assert found.verdict is Verdict.FAILED
    assert "did not arrive" in found.findings[0].message


def test_tracking_that_is_off_is_open(settings):
    found = tracking(settings)

    assert found.verdict is Verdict.INCONCLUSIVE
    assert lacks_tracking(None).startswith("error tracking is off")
