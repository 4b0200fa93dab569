"""A plugin of pytest with the other ways to give a test a database, on a server like that of trueup."""

from collections.abc import Iterator
from itertools import count

import psycopg
import pytest
from work import schema

from trueup.servers import EmbeddedServer
from trueup.settings import Settings

TABLES = 20
NUMBERS = count()
SERVER = pytest.StashKey[EmbeddedServer]()


def pytest_configure(config: pytest.Config) -> None:
    """Start the server, and tell pytest-postgresql where it is, if that is there."""
    server = EmbeddedServer(18, cache_folder=Settings.load().cache_folder)
    config.stash[SERVER] = server.__enter__()
    config.add_cleanup(server.close)
    own = server.conninfo().parameters
    for name, value in (("host", own["host"]), ("port", own["port"]), ("user", own["user"])):
        setattr(config.option, f"postgresql_{name}", value)


@pytest.fixture(scope="session")
def rival(pytestconfig: pytest.Config) -> EmbeddedServer:
    """Return the server, with a template of the tables."""
    server = pytestconfig.stash[SERVER]
    with psycopg.connect(server.create_database("shape").reveal(), autocommit=True) as connection:
        connection.execute(schema(TABLES).encode())
    return server


@pytest.fixture(scope="session")
def kept(rival: EmbeddedServer) -> Iterator[psycopg.Connection]:
    """Give one connection for all tests."""
    with psycopg.connect(rival.create_database("kept", template="shape").reveal(), autocommit=True) as connection:
        yield connection


@pytest.fixture
def truncated(kept: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """Give that connection, and empty every table afterwards."""
    yield kept
    kept.execute(f"truncate {', '.join(f't{number}' for number in range(TABLES))} restart identity cascade")


@pytest.fixture
def cloned(rival: EmbeddedServer) -> Iterator[psycopg.Connection]:
    """Give a connection to a clone, which is dropped afterwards."""
    name = f"clone_{next(NUMBERS)}"
    with psycopg.connect(rival.create_database(name, template="shape").reveal(), autocommit=True) as connection:
        yield connection
    rival.drop_database(name)
