"""However the command ends, no server and no file of it stays."""

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from trueup.cli.exits import ExitCode

DEADLINE_S = 20


@pytest.fixture
def command(tmp_path):
    """Start the command as a shell does; yields its process, killed at the end if it still runs."""
    started = []

    def start(*words):
        process = subprocess.Popen(
            [sys.executable, "-m", "trueup", *words],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_until(claim, deadline_s=DEADLINE_S):
    limit = time.monotonic() + deadline_s
    while not (found := claim()):
        assert time.monotonic() < limit, "not within the deadline"
        threading.Event().wait(0.01)
    return found


def two_servers(process):
    """Return the postmasters that the command has started, once there are two."""
    children = [child for child in psutil.Process(process.pid).children(recursive=True) if is_postmaster(child)]
    return children if len(children) == 2 else None


def is_postmaster(process):
    """Say whether it is the first process of a server, and not one that tells its version or is about to be gone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = process.parent()
        is_first = parent is not None and parent.name() != "postgres"
        return process.name() == "postgres" and is_first and "-D" in process.cmdline()
    return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_no_server_outlives_the_command_and_the_next_run_works(command, trueup, number):
    process = command("verify")
    servers = wait_until(lambda: two_servers(process))
    folders = [Path(server.cmdline()[server.cmdline().index("-D") + 1]) for server in servers]

    process.send_signal(number)
    process.wait(DEADLINE_S)

    _, alive = psutil.wait_procs(servers, timeout=15)
    assert alive == []
    wait_until(lambda: not any(folder.exists() for folder in folders), 15)
    assert trueup("verify", "--check", "sequences").code == ExitCode.PASSED


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, 128 + signal.SIGTERM)]
)
def test_interruption_has_its_exit_code(command, number, code):
    process = command("verify")
    wait_until(lambda: two_servers(process))

    process.send_signal(number)

    assert process.wait(DEADLINE_S) == code


def test_reader_that_goes_away_is_no_defect(command):
    process = command("verify", "--check", "sequences", "--json")
    process.stdout.close()

    errors = process.stderr.read()

    assert process.wait(DEADLINE_S) == ExitCode.UNVERIFIED
    assert b"Traceback" not in errors


def test_json_on_stdout_is_one_object_and_progress_is_silent_without_a_terminal(command):
    process = command("verify", "--check", "sequences", "--json")

    out, errors = process.communicate(timeout=60)

    assert json.loads(out)["verdict"] == "passed"
    assert errors == b""
