"""Who is told that a run no longer passes, and how often."""

import json
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from trueup.errors import UsageError
from trueup.report.model import Report, Section, Verdict
from trueup.settings import Alerts, Settings
from trueup.verify.alarm import Alarm, read_state
from trueup.verify.destinations import sign

TOLD = """import sys; open(sys.argv[1], "ab").write(sys.stdin.buffer.read() + b"\\n")"""


@pytest.fixture
def make_settings(tmp_path):
    def make(**alerts):
        variables = {"TRUEUP_STATE_DIR": str(tmp_path / "state")} | alerts.pop("variables", {})
        return Settings(cache_folder=tmp_path, alerts=Alerts(**alerts), variables=variables)

    return make


@pytest.fixture
def command(tmp_path):
    """A command that writes down each alert; returns its words and a reader."""
    file = tmp_path / "told.jsonl"

    def told():
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    return (sys.executable, "-IS", "-c", TOLD, str(file)), told


def report(passes):
    compared = {"rows": 3} if passes else {}
    return Report(
        title="t",
        version="1",
        started_at=datetime(2026, 3, 1, tzinfo=UTC),
        sections=(Section(check="data", title="Rows", compared=compared),),
    )


def run(settings, *, passes, profile="nightly"):
    with Alarm(settings=settings, profile=profile) as alarm:
        return alarm.end(report(passes))


def test_episode_is_told_once_and_its_end_once(make_settings, command):
    """W-H14: what had been counted was gone with each process, so no third failure and no recovery ever came."""
    words, told = command
    settings = make_settings(command=words)

    for passes in (True, False, False, False, True, True, False):
        assert run(settings, passes=passes) == ()

    assert [(one["event"], one["verdict"]) for one in told()] == [
        ("failed", "inconclusive"),
        ("recovered", "passed"),
        ("failed", "inconclusive"),
    ]
    assert told()[0]["checks"] == {"data": "inconclusive"}
    assert told()[1]["since"] is not None


def test_passing_run_is_stamped_and_a_failing_one_keeps_the_stamp(make_settings):
    settings = make_settings()
    run(settings, passes=True)
    stamped = read_state(settings.state_folder / "verify" / "nightly.json")
    run(settings, passes=False)
    failed = read_state(settings.state_folder / "verify" / "nightly.json")

    assert stamped.last_success_at == stamped.last_run_at
    assert failed.last_success_at == stamped.last_success_at < failed.last_run_at
    assert failed.since == failed.last_run_at
    assert (stamped.verdict, failed.verdict) == (Verdict.PASSED, Verdict.INCONCLUSIVE)


def test_run_that_an_error_ends_leaves_the_stamp_alone(make_settings):
    settings = make_settings()
    with pytest.raises(ZeroDivisionError), Alarm(settings=settings, profile="nightly"):
        raise ZeroDivisionError

    assert read_state(settings.state_folder / "verify" / "nightly.json").last_success_at is None


def test_destination_that_could_not_be_told_is_told_by_the_next_run(make_settings, command):
    words, told = command
    broken = run(make_settings(command=("/nosuch/program",)), passes=False)
    failing = run(make_settings(command=("false",)), passes=False)
    run(make_settings(command=words), passes=False)

    assert broken == ("command: it can't be run: No such file or directory",)
    assert failing == ("command: it ended with exit code 1",)
    assert len(told()) == 1


def test_damaged_state_is_no_obstacle(make_settings, command):
    words, told = command
    settings = make_settings(command=words)
    run(settings, passes=False)
    (settings.state_folder / "verify" / "nightly.json").write_bytes(b'{"since":')

    run(settings, passes=False)

    assert len(told()) == 2


def test_profiles_have_states_of_their_own_and_names_of_files(make_settings):
    settings = make_settings()
    run(settings, passes=True, profile="a")

    assert read_state(settings.state_folder / "verify" / "b.json").last_run_at is None
    with pytest.raises(UsageError, match="letters, digits"):
        run(settings, passes=True, profile="../a")


def test_tracker_that_is_off_is_told_of(make_settings):
    assert run(make_settings(sentry=True, monitor="nightly"), passes=False)[0].startswith(
        "sentry: error tracking is off"
    )


@pytest.fixture
def webhook():
    """A server on loopback that keeps what is posted; answers with the status that its path names."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((dict(self.headers), body))
            self.send_response(int(self.path.rpartition("/")[2]))
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    thread.join()
    server.server_close()


def test_webhook_is_signed_over_its_time_and_body(make_settings, webhook):
    url, received = webhook
    settings = make_settings(
        webhook="env:URL", webhook_key="env:KEY", variables={"URL": f"{url}/204", "KEY": "a key of ours"}
    )

    assert run(settings, passes=False) == ()

    [(headers, body)] = received
    assert headers["X-Trueup-Signature"] == f"sha256={sign('a key of ours', headers['X-Trueup-Timestamp'], body)}"
    assert json.loads(body)["event"] == "failed"
    assert sign("key", "1", b"{}") == "1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224"


@pytest.mark.parametrize("status", [302, 500])
def test_webhook_that_refuses_is_named_by_its_answer_alone(make_settings, webhook, status):
    url, _ = webhook
    settings = make_settings(webhook="env:URL", variables={"URL": f"{url}/token-4711/{status}"})

    assert run(settings, passes=False) == (f"webhook: it answered {status}",)


def test_webhook_that_is_not_there_is_named_without_its_address(make_settings):
    settings = make_settings(webhook="env:URL", variables={"URL": "http://127.0.0.1:1/token-4711"})

    [problem] = run(settings, passes=False)

    assert problem.startswith("webhook: it can't be reached")
    assert "4711" not in problem


def test_variable_that_is_not_set_is_a_usage_error(make_settings):
    with pytest.raises(UsageError, match="URL is not set"):
        run(make_settings(webhook="env:URL"), passes=False)
