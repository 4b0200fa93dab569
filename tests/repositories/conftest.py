"""The salon's schema, built once a server version: put back after a test that commits, rolled back after the others."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path

import pytest
from tests.integration.turns import left_out
from tests.repositories.killing import Crashing, Killer, crashing
from tests.repositories.rows import COMPANY, OTHER, company

from ai_admin.companies import Companies
from ai_admin.data_layer import DataLayer
from trueup.conninfo import ConnInfo
from trueup.db import Connection, Database, connect
from trueup.migrations import Migrations, migrate_up, read_migrations
from trueup.servers import EmbeddedServer
from trueup.settings import DatabaseSettings
from trueup.testing.lending.emptying import lent
from trueup.testing.lending.host import OwnServer
from trueup.testing.rewind import Baseline

ROOT = Path(__file__).parents[2]
NUMBERS = count()


class Undo(Exception):
    """Ends a test's transaction."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out of every run what is tried again on another version."""
    for item in left_out(items):
        item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def migrations() -> Migrations:
    return read_migrations(ROOT / "src/ai_admin/schema")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Is a server with the template `salon`, a database whose tests leave nothing behind, and those that tests use."""

    server: EmbeddedServer
    shared: Database
    copies: dict[str, list[tuple[ConnInfo, Baseline]]] = field(default_factory=lambda: defaultdict(list))
    """Copies of templates that nobody uses, each as it was, by the name of its template."""
    empty: list[ConnInfo] = field(default_factory=list)
    """Databases without tables that nobody uses."""

    @contextmanager
    def lend(self, template: str) -> Iterator[ConnInfo]:
        """Give a copy of a template; it is put back afterwards, or dropped where that can't be proven."""
        copies = self.copies[template]
        conninfo, baseline = copies.pop() if copies else self.copy(template)
        try:
            yield conninfo
        finally:
            if baseline.rewind():
                copies.append((conninfo, baseline))
            else:
                baseline.close()
                self.server.drop_database(conninfo.parameters["dbname"])

    def copy(self, template: str) -> tuple[ConnInfo, Baseline]:
        conninfo = self.server.create_database(f"test_{next(NUMBERS)}", template=template)
        return conninfo, Baseline.take(conninfo)

    def close(self) -> None:
        for _, baseline in chain.from_iterable(self.copies.values()):
            baseline.close()


@pytest.fixture(scope="session")
def prepared(migrations: Migrations, session_server_on: Callable[[str], OwnServer]) -> Iterator[Mapping[int, Prepared]]:
    """Return the server of each version."""
    with ExitStack() as stack:
        found = {}
        for version in (16, 18):
            server = session_server_on(f"embedded:{version}")
            furnish(server.create_database("salon"), migrations)
            settings = DatabaseSettings(conninfo=server.create_database("shared", template="salon"))
            found[version] = Prepared(server=server, shared=stack.enter_context(Database(settings)))
            stack.callback(found[version].close)
        yield found


def furnish(conninfo: ConnInfo, migrations: Migrations) -> None:
    """Make a migrated database with two salons, which nobody is connected to."""
    with connect(conninfo) as connection:
        migrate_up(connection, migrations)
    with Database(DatabaseSettings(conninfo=conninfo)) as db:
        Companies(db).bulk_upsert([company(company_id=COMPANY), company(company_id=OTHER, timezone="Asia/Vladivostok")])


@pytest.fixture(scope="session", params=[16, 18], ids=["pg16", "pg18"])
def server(request: pytest.FixtureRequest, prepared: Mapping[int, Prepared]) -> EmbeddedServer:
    """Return a server; a test that asks for it runs on both versions."""
    return prepared[request.param].server


@pytest.fixture(scope="session")
def template(server: EmbeddedServer) -> str:
    """Return the name of the migrated database that others are copied from."""
    return "salon"


@pytest.fixture(scope="session")
def shared(server: EmbeddedServer, prepared: Mapping[int, Prepared]) -> Database:
    """Return a database whose tests leave nothing behind."""
    return prepared[server.version].shared


@pytest.fixture
def may_connect(prepared: Mapping[int, Prepared]) -> None:
    """Let a test connect to an address where nobody is."""


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
def database(server: EmbeddedServer, template: str, prepared: Mapping[int, Prepared]) -> Iterator[ConnInfo]:
    """Return a migrated database of its own for the test, where commits last."""
    with prepared[server.version].lend(template) as conninfo:
        yield conninfo


@pytest.fixture
def empty(server: EmbeddedServer, prepared: Mapping[int, Prepared]) -> Iterator[ConnInfo]:
    """Return a database without tables."""
    with lent(server, prepared[server.version].empty) as conninfo:
        yield conninfo


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


@pytest.fixture(scope="session")
def crashes() -> Iterator[Crashing]:
    """Return a process that runs others and lets them die."""
    with crashing() as process:
        yield process


@pytest.fixture
def killer(crashes: Crashing, database: ConnInfo, observer: Connection) -> Killer:
    """Return what kills programs that work on the test's database."""
    return Killer(process=crashes, database=database, observer=observer)
