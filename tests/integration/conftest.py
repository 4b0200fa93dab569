"""Real servers for integration tests: started when a test first asks, one of each version a test process."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.recycling import Recycled

from trueup.conninfo import ConnInfo
from trueup.servers import EmbeddedServer
from trueup.settings import Settings

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def cache_folder() -> Path:
    """Return the folder where the images of servers are kept from run to run."""
    return Settings.load().cache_folder


@pytest.fixture(scope="session")
def server16(cache_folder: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(16, cache_folder=cache_folder) as server:
        yield server


@pytest.fixture(scope="session")
def server18(cache_folder: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(18, cache_folder=cache_folder) as server:
        yield server


@pytest.fixture(scope="session", params=[16, 18], ids=["pg16", "pg18"])
def server(request: pytest.FixtureRequest) -> EmbeddedServer:
    """Return a server; a test that asks for it runs on both versions."""
    found: EmbeddedServer = request.getfixturevalue(f"server{request.param}")
    return found


@pytest.fixture
def fresh_database(server: EmbeddedServer) -> Iterator[ConnInfo]:
    """Return a database that was made for the test."""
    name = f"test_{next(NUMBERS)}"
    yield server.create_database(name)
    server.drop_database(name)


@pytest.fixture(scope="session")
def recycled16(server16: EmbeddedServer) -> Recycled:
    return Recycled(server16)


@pytest.fixture(scope="session")
def recycled18(server18: EmbeddedServer) -> Recycled:
    return Recycled(server18)


@pytest.fixture
def database(server: EmbeddedServer, request: pytest.FixtureRequest) -> Iterator[ConnInfo]:
    """Return an empty database for the test: the one that was emptied after the test before."""
    kept: Recycled = request.getfixturevalue(f"recycled{server.version}")
    yield kept.lend()
    kept.take_back()


SAMPLED = {
    "test_plan_between_the_states_of_a_project_is_proved_and_does_what_was_proved[pg16-": 31,
    "test_plan_between_the_states_of_a_project_is_proved_and_does_what_was_proved[pg18-": 12,
    "through_pgbouncer.py::": 2,
}
"""Of which tests, by their ids, every run tries one in so many; `-m long` tries the others."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out of every run part of what is tried again: more states of projects, a pooler in between."""
    for part, share in SAMPLED.items():
        again = sorted((item for item in items if part in item.nodeid), key=lambda item: item.nodeid)
        for number, item in enumerate(again):
            if number % share:
                item.add_marker(pytest.mark.long)
