"""What the doctor says of servers and of tracking."""

import os
import subprocess
import sys

import pytest

from trueup.cli.exits import ExitCode


def test_both_servers_are_found_and_tracking_is_off(trueup):
    done = trueup("doctor")

    assert done.code == ExitCode.PASSED
    assert "PostgreSQL 18." in done.out
    assert "PostgreSQL 16." in done.out
    assert "tracking  off: SENTRY_DSN is not set" in done.out


@pytest.mark.parametrize(
    ("dsn", "code", "said"),
    [
        ("http://secretkey@127.0.0.1:1/1", ExitCode.UNVERIFIED, "could not be reached"),
        ("http://secretkey@127.0.0.1:1/", ExitCode.USAGE, "SENTRY_DSN is not a DSN"),
        ("", ExitCode.UNVERIFIED, "tracking is off"),
    ],
    ids=["closed port", "malformed", "off"],
)
def test_test_event_that_does_not_arrive_is_told_without_the_key(tmp_path, dsn, code, said):
    """W-S2: whether a process reports anything can be seen."""
    done = subprocess.run(
        [sys.executable, "-m", "trueup", "doctor", "--send-test-event"],
        cwd=tmp_path,
        env={**os.environ, "SENTRY_DSN": dsn, "TRUEUP_STATE_DIR": str(tmp_path)},  # noqa: TID251 — the child's
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code
    assert said in done.stderr
    assert "secretkey" not in done.stdout + done.stderr
    assert "None" not in done.stdout
