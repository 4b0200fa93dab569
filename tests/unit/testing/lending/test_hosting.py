"""Work that is begun in a thread and waited for elsewhere."""

import subprocess
import sys
import threading

import pytest

from trueup.errors import ServerUnavailable
from trueup.testing.lending.hosting import begun, short_turns


def test_work_goes_on_before_anybody_waits() -> None:
    is_done = threading.Event()

    wait = begun(lambda: is_done.set() or 42)

    assert is_done.wait(10)
    assert wait() == 42


def test_error_is_raised_where_it_is_waited_for() -> None:
    def fail() -> None:
        raise ServerUnavailable("there is none")

    wait = begun(fail)

    with pytest.raises(ServerUnavailable, match="there is none"):
        wait()


def test_threads_take_their_usual_turns_afterwards() -> None:
    usual_s = sys.getswitchinterval()

    with short_turns():
        during_s = sys.getswitchinterval()

    assert during_s < usual_s == sys.getswitchinterval()


def test_server_is_started_without_what_tests_need() -> None:
    """The driver takes longer to import than the server to start."""
    script = "import trueup.testing.lending.host, sys; print(sorted({'psycopg', 'trueup.db'} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
