"""What holds for all tests: how many examples a property is tried with, how long a test may take, and its signals.

Few examples on every save, many when asked (`--hypothesis-profile=thorough`).
"""

import gc
import signal
from collections.abc import Generator
from faulthandler import cancel_dump_traceback_later

import pytest
from hypothesis import Phase, settings
from platformdirs import user_cache_path

QUICK = settings(deadline=None, max_examples=30, phases=set(Phase) - {Phase.explain})

settings.register_profile("quick", QUICK)
settings.register_profile("thorough", QUICK, max_examples=1_000)
settings.load_profile("quick")

pytest_plugins = ["pytester"]

OF_PYTHON = frozenset({signal.SIGPIPE, signal.SIGXFSZ})
"""Signals that Python itself ignores, and gives back to the programs that it starts."""
LONG_S = 1800


def heed_signals() -> None:
    """Let programs that tests start heed all signals, also in a run behind `nohup`, a `&` or a supervisor.

    A signal that is ignored or blocked is so for whatever a process starts, and tests would wait for its effect for
    ever. One that has a handler is not. This process goes on ignoring it, apart from SIGINT, by which tests interrupt.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals() - OF_PYTHON:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number is signal.SIGINT else lambda *_: None)


heed_signals()


def pytest_configure() -> None:
    """Let programs that tests start read what was compiled and write nothing: their files are gone after the test.

    `pytester` gives them a home of their own; servers are copied from the images in the user's cache all the same.
    """
    patch = pytest.MonkeyPatch()
    patch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    patch.setenv("XDG_CACHE_HOME", str(user_cache_path()))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among modules and tests, which stay: neither while they are made nor afterwards."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give a long test the time that it takes."""
    for item in items:
        if item.get_closest_marker("long") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LONG_S))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave a test that has a limit of its own to that one."""
    if item.get_closest_marker("timeout"):
        cancel_dump_traceback_later()
