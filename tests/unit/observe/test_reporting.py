"""What the other layers call, while tracking is off: the state of every test, script and command without a DSN."""

import subprocess
import sys
import textwrap
import timeit

import pytest

from trueup import observe
from trueup.conninfo import Secret
from trueup.errors import Conflict
from trueup.settings import ObserveSettings


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
    )


def test_nothing_is_imported_and_nothing_started_without_a_dsn(tmp_path):
    done = run(f"""
        import signal, sys, threading
        from pathlib import Path
        from trueup import observe
        from trueup.conninfo import Secret
        from trueup.errors import Conflict
        from trueup.settings import ObserveSettings

        off = ObserveSettings(spool_folder=Path({str(tmp_path / "events")!r}))
        killed = ObserveSettings(
            dsn=Secret("http://key@127.0.0.1:9/1"), is_enabled=False, spool_folder=Path({str(tmp_path / "events")!r})
        )
        for settings in (off, killed):
            assert not observe.instrument(settings).is_enabled
            with observe.operation("tables", "find_one", "public.clients"):
                observe.report_failure(Conflict("x"), component="db", operation="commit")
            assert observe.flush()
            assert not observe.send_test_event().is_delivered

        assert not [name for name in sys.modules if name.startswith(("sentry_sdk", "urllib3", "certifi"))]
        assert threading.active_count() == 1
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    """)

    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "events").exists()


def test_who_only_calls_it_imports_nothing_that_a_report_needs():
    done = run("""
        import sys
        from trueup import observe

        with observe.operation("tables", "find_one", "public.clients"):
            observe.report_failure(ValueError(), component="db", operation="commit")
        assert not observe.report_warning("slow", component="db", operation="pool")
        assert observe.retrying(is_last=False) is observe.api_call("ai_admin", "book")
        assert observe.listening(None) is None

        found = {name for name in sys.modules if name.startswith("trueup.observe.")}
        assert found == {"trueup.observe.reporting"}, found
        assert "psycopg" not in sys.modules
        assert observe.status().reason == "instrument() was not called"
    """)

    assert done.returncode == 0, done.stderr


def test_kill_switch_says_so():
    settings = ObserveSettings(dsn=Secret("http://key@127.0.0.1:9/1"), is_enabled=False)

    assert observe.instrument(settings).reason == "SENTRY_ENABLED is false"


def test_off_costs_less_than_a_microsecond():
    def query() -> None:
        with observe.operation("tables", "find_one", "public.clients"):
            pass

    tracer = sys.gettrace()
    sys.settrace(None)  # Coverage's would be measured instead.
    try:
        fastest = min(timeit.repeat(query, number=2_000, repeat=30)) / 2_000
    finally:
        sys.settrace(tracer)

    assert fastest < 1e-6


def test_error_of_the_caller_is_the_one_that_leaves():
    error = Conflict("x")

    with pytest.raises(Conflict) as caught, observe.operation("tables", "find_one"):
        raise error

    assert caught.value is error


def test_listener_stays_what_it_was_while_tracking_is_off():
    assert observe.listening(None) is None
    assert observe.listening(print) is print
