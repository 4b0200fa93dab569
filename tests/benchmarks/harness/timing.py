"""A plugin of pytest that writes how long each test took, with all that its fixtures and plugins did for it."""

import json
from collections.abc import Generator
from pathlib import Path
from time import perf_counter, process_time

import pytest

STARTS = {"loading": perf_counter()}
"""When plugins began to be loaded (this is the first of them), and when the session began."""
TIMES: list[dict[str, float]] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare where to write, and how many tests there are."""
    parser.addoption("--times", type=Path)
    parser.addoption("--tests", type=int, default=1)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make many tests of one."""
    if "number" in metafunc.fixturenames:
        metafunc.parametrize("number", range(metafunc.config.getoption("--tests")))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Note when the session begins."""
    STARTS["session"] = perf_counter()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Time a test from its first hook to its last."""
    clock, cpu = perf_counter(), process_time()
    TIMES.append({})
    result = yield
    TIMES[-1] |= {"clock": perf_counter() - clock, "cpu": process_time() - cpu}
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Note when the test's own code begins."""
    now = perf_counter()
    TIMES[-1] |= {f"since {name}": now - start for name, start in STARTS.items()}
    return (yield)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note how long each phase took."""
    TIMES[-1][report.when] = report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write it all."""
    if path := session.config.getoption("--times"):
        path.write_text(json.dumps(TIMES))
