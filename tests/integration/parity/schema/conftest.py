"""Structures that real servers give for statements, which are undone at once."""

from collections.abc import Callable, Iterator
from functools import cache

import psycopg
import pytest

from trueup.conninfo import ConnInfo
from trueup.db import Snapshot, connect
from trueup.db.snapshots import PINNED
from trueup.parity.schema import Catalog, catalog
from trueup.servers import EmbeddedServer

Read = Callable[[str], Catalog]


def reader(server: EmbeddedServer) -> Iterator[Read]:
    name = f"parity_schema_{server.version}"
    conninfo = server.create_database(name)
    with connect(conninfo) as connection:

        @cache
        def read(statements: str) -> Catalog:
            with connection.transaction(force_rollback=True):
                connection.execute(statements)
                for setting, value in PINNED:
                    connection.execute("select set_config(%s, %s, true)", [setting, value])
                return catalog(opened(conninfo, connection))

        yield read
    server.drop_database(name)


def opened(conninfo: ConnInfo, connection: psycopg.Connection) -> Snapshot:
    """Return a snapshot that also sees what its own transaction has done."""
    return Snapshot(conninfo, connection, connection.info.server_version, connection.info.dbname, "", "")


@pytest.fixture(scope="session")
def read16(server16: EmbeddedServer) -> Iterator[Read]:
    yield from reader(server16)


@pytest.fixture(scope="session")
def read18(server18: EmbeddedServer) -> Iterator[Read]:
    yield from reader(server18)


@pytest.fixture(scope="session", params=[16, 18], ids=["pg16", "pg18"])
def read(request: pytest.FixtureRequest) -> Read:
    """Return the structure of a database that holds what the statements make, and nothing else."""
    return request.getfixturevalue(f"read{request.param}")
