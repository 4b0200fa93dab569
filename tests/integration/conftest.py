"""Servers for integration tests: those of the harness that all tests of a process share, one of each version."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from tests.integration.turns import left_out

from trueup.conninfo import ConnInfo
from trueup.settings import Settings
from trueup.testing.lending.host import OwnServer

NUMBERS = count()
HARNESS = Path(__file__).parent / "testing"
UNMEASURED = pytest.MonkeyPatch()


@pytest.fixture(scope="session")
def cache_folder() -> Path:
    """Return the folder where the images of servers are kept from run to run."""
    return Settings.load().cache_folder


@pytest.fixture(scope="session")
def server16(session_server_on: Callable[[str], OwnServer]) -> OwnServer:
    return session_server_on("embedded:16")


@pytest.fixture(scope="session")
def server18(session_server_on: Callable[[str], OwnServer]) -> OwnServer:
    return session_server_on("embedded:18")


@pytest.fixture(scope="session", params=["embedded:16", "embedded:18"], ids=["pg16", "pg18"])
def server(request: pytest.FixtureRequest, session_server_on: Callable[[str], OwnServer]) -> OwnServer:
    """Return a server; a test that asks for it runs on both versions."""
    return session_server_on(request.param)


@pytest.fixture
def may_connect(server18: OwnServer) -> None:
    """Let a test connect to what no fixture gives: an address where nobody is, or a server that has the tests' mark."""


@pytest.fixture
def fresh_database(server: OwnServer) -> Iterator[ConnInfo]:
    """Return a database that was made for the test."""
    name = f"test_{next(NUMBERS)}"
    yield server.create_database(name)
    server.drop_database(name)


@pytest.fixture
def database(server: OwnServer) -> Iterator[ConnInfo]:
    """Return an empty database for the test: the one that was emptied after the test before."""
    with server.emptied() as conninfo:
        yield conninfo


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let programs that tests start run without coverage, which takes each a tenth of a second.

    Other tests run the same code in this process; but what a project's tests do with the harness, nobody else does.
    """
    UNMEASURED.undo()
    if HARNESS not in item.path.parents:
        UNMEASURED.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out of every run what is tried again in another setting."""
    for item in left_out(items):
        item.add_marker(pytest.mark.long)
