"""The salon's schema, built once a server version: copied for a test that commits, rolled back after the others."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.repositories.rows import COMPANY, OTHER, company

from ai_admin.companies import Companies
from ai_admin.data_layer import DataLayer
from trueup.conninfo import ConnInfo
from trueup.db import Connection, Database, connect
from trueup.migrations import Migrations, migrate_up, read_migrations
from trueup.servers import EmbeddedServer
from trueup.settings import DatabaseSettings, Settings

ROOT = Path(__file__).parents[2]
NUMBERS = itertools.count()


class Undo(Exception):
    """Ends a test's transaction."""


@pytest.fixture(scope="session")
def migrations() -> Migrations:
    return read_migrations(ROOT / "src/ai_admin/schema")


@pytest.fixture(scope="session", params=[16, 18], ids=["pg16", "pg18"])
def server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """Return a server that has the template `salon`."""
    with EmbeddedServer(request.param, cache_folder=Settings.load().cache_folder) as server:
        yield server


@pytest.fixture(scope="session")
def template(server: EmbeddedServer, migrations: Migrations) -> str:
    """Return the name of a migrated database with two salons, which nobody is connected to."""
    conninfo = server.create_database("salon")
    with connect(conninfo) as connection:
        migrate_up(connection, migrations)
    with Database(DatabaseSettings(conninfo=conninfo)) as db:
        Companies(db).bulk_upsert([company(company_id=COMPANY), company(company_id=OTHER, timezone="Asia/Vladivostok")])
    return "salon"


@pytest.fixture(scope="session")
def shared(server: EmbeddedServer, template: str) -> Iterator[Database]:
    """Return a database whose tests leave nothing behind."""
    with Database(DatabaseSettings(conninfo=server.create_database("shared", template=template))) as db:
        yield db


@pytest.fixture
def db(shared: Database) -> Iterator[Database]:
    """Return a database inside a transaction that is rolled back after the test."""
    try:
        with shared.transaction():
            yield shared
            raise Undo
    except Undo:
        pass


@pytest.fixture
def data(db: Database) -> DataLayer:
    """Return the data layer of the salon, rolled back after the test."""
    return DataLayer(db, COMPANY)


@pytest.fixture
def other(db: Database) -> DataLayer:
    """Return the data layer of another salon in the same database."""
    return DataLayer(db, OTHER)


@pytest.fixture
def database(server: EmbeddedServer, template: str) -> Iterator[ConnInfo]:
    """Return a migrated database of its own for the test, where commits last."""
    name = f"test_{next(NUMBERS)}"
    yield server.create_database(name, template=template)
    server.drop_database(name)


@pytest.fixture
def committing(database: ConnInfo) -> Iterator[Database]:
    """Return a database of its own whose commits last."""
    with Database(DatabaseSettings(conninfo=database, lock_timeout_s=5)) as db:
        yield db


@pytest.fixture
def observer(database: ConnInfo) -> Iterator[Connection]:
    """Return a connection of its own, which sees what is committed."""
    connection = connect(database, application_name="observer")
    yield connection
    connection.close()
