"""Real servers for integration tests: started when a test first asks, one of each version a test process."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from tests.integration.recycling import Recycled
from tests.integration.turns import left_out

from trueup.conninfo import ConnInfo
from trueup.servers import EmbeddedServer
from trueup.settings import Settings

NUMBERS = count()


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out of every run what is tried again in another setting."""
    for item in left_out(items):
        item.add_marker(pytest.mark.long)
