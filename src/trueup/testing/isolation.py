"""The fixtures: what a test asks for decides how it is kept apart from others."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, TypeGuard

import pytest

from trueup.errors import TrueupError
from trueup.testing.failures.keeping import is_to_be_kept, tell_kept
from trueup.testing.guard.gate import gate
from trueup.testing.imports import quick_imports
from trueup.testing.lending.ahead import conn_of
from trueup.testing.lending.asking import database_of, making, shared_by
from trueup.testing.lending.hosting import Hostings, begun, short_turns, visit
from trueup.testing.marks import Kind, kind_of, known_server, servers_of
from trueup.testing.options import Options, Server

if TYPE_CHECKING:
    from psycopg import OperationalError

    from trueup.db import Connection
    from trueup.testing.lending.databases import Databases
    from trueup.testing.lending.host import Host
    from trueup.testing.lending.kept import KeptConnection
    from trueup.testing.lending.loans import Loan, TestDatabase

OPTIONS = pytest.StashKey[Options]()
HOSTINGS = pytest.StashKey[Hostings]()
"""Is there in the process that has the servers of the run."""
HOSTS = pytest.StashKey[dict[Server, Callable[[], "Host"]]]()
"""What waits for each server that this process has asked for."""
OPENED = pytest.StashKey[dict[Server, "Databases"]]()
"""The databases of this process, by server."""


@contextmanager
def told() -> Iterator[None]:
    """Let a test fail with the message of an error alone: where in the harness it was raised helps nobody."""
    # Without its cause either: the driver's exception shows values of rows.
    try:
        yield
    except TrueupError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    except Exception as error:
        if not is_of_server(error):
            raise
        reason = f"SQLSTATE {error.sqlstate}" if error.sqlstate else "the connection is lost"
        message = f"the server of the run fails its tests: {reason}; run them again"
        raise pytest.fail.Exception(message, pytrace=False) from None


def is_of_server(error: Exception) -> "TypeGuard[OperationalError]":
    """Say whether it is about the server and not about a statement."""
    driver = sys.modules.get("psycopg")
    return driver is not None and isinstance(error, driver.OperationalError)


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test that asks for a database run on each of its servers; on the only one of the run, as it is."""
    if "trueup_server" not in metafunc.fixturenames:
        return
    options = metafunc.config.stash[OPTIONS]
    servers = servers_of(metafunc.definition, options)
    if len(servers) > 1 or servers != options.servers:
        names = [server.name for server in servers]
        metafunc.parametrize("trueup_server", servers, ids=names, indirect=True, scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(request: pytest.FixtureRequest) -> None:
    """Know for whom a fixture is made; pytest makes it next, when what it needs is there."""
    making.request = request


@pytest.fixture(scope="session")
def trueup_server() -> Server:
    """Return where the test runs."""
    request = making.request
    found: Server = getattr(request, "param", request.config.stash[OPTIONS].servers[0])
    return found


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Start the server of the first test that will ask for a database: it takes as long as what tests import."""
    option = session.config.option
    if session.testsfailed or option.collectonly or getattr(option, "setupplan", False):
        return
    if (first := next(filter(needs_database, session.items), None)) is not None:
        host_of(session.config, server_of(first))


def needs_database(item: pytest.Item) -> bool:
    """Say whether a test will surely ask for a database; one that may be skipped may not."""
    asks = "trueup_databases" in getattr(item, "fixturenames", ())
    return asks and not any(item.iter_markers("skip")) and not any(item.iter_markers("skipif"))


def host_of(config: pytest.Config, server: Server) -> Callable[[], "Host"]:
    """Return what waits for a server of the run, which is being started."""
    hosts = config.stash.setdefault(HOSTS, {})
    if server not in hosts:
        with quick_imports():
            import_module("trueup.testing.lending.host")  # What the thread needs is whole before it begins.
        hosts[server] = begun(asking(config, server))
    return hosts[server]


def asking(config: pytest.Config, server: Server) -> Callable[[], "Host"]:
    """Return what starts a server of the run, or asks the controller for it."""
    if (hostings := config.stash.get(HOSTINGS, None)) is not None:
        return hostings.on(server).open
    return partial(visit, config.workerinput["trueup_address"], server)  # type: ignore[attr-defined]


def worker_of(config: pytest.Config) -> str:
    """Return the name of this process among those of the run."""
    name: str = getattr(config, "workerinput", {}).get("workerid", "main")
    return name


def open_databases(session: pytest.Session, server: Server) -> "Databases":
    """Return the databases of this process on a server; that is started when it is first asked for."""
    options = session.config.stash[OPTIONS]
    with short_turns(), quick_imports():
        wait_for_host, worker = host_of(session.config, server), worker_of(session.config)
        from trueup.testing.lending.first import prepare  # noqa: PLC0415  Paid for while the server starts.
        from trueup.testing.lending.orders import count_orders, first_order  # noqa: PLC0415

        items = [item for item in session.items if server_of(item) == server]
        wait_for_first = begun(partial(prepare, wait_for_host, options, worker, first_order(items, options)))
        from trueup.testing.lending.databases import Databases  # noqa: PLC0415  And this while the first one is made.

        wanted = count_orders(items, options)
        first = wait_for_first()
    return Databases(first, options, worker, wanted)


def server_of(item: pytest.Item) -> Server:
    """Return where a test runs that asks for a database."""
    params = item.callspec.params if hasattr(item, "callspec") else {}
    found: Server = params.get("trueup_server", item.config.stash[OPTIONS].servers[0])
    return found


def databases_on(session: pytest.Session, server: Server) -> "Databases":
    """Return the databases of this process on a server, until the session ends."""
    opened = session.stash.setdefault(OPENED, {})
    if server not in opened:
        with told():
            opened[server] = open_databases(session, server)
        session.addfinalizer(opened[server].close)
    return opened[server]


@pytest.fixture(scope="session")
def trueup_databases(trueup_server: Server) -> "Databases":
    """Return the databases of this process where the test runs."""
    return databases_on(making.request.session, trueup_server)


def asked_kind(request: pytest.FixtureRequest) -> Kind:
    """Return the kind of database that the test of a fixture asks for, or its class, module or session."""
    return kind_of(request.node, request.config.stash[OPTIONS])


def find_loan(request: pytest.FixtureRequest, databases: "Databases") -> "Loan":
    """Return *the* database of a test."""
    name = database_of(request.fixturenames)
    if name == "conn":
        return databases.lend_untouched(asked_kind(request))
    request.getfixturevalue(name)
    return databases.lent[name]


def handed_out(request: pytest.FixtureRequest, loan: "Loan") -> "TestDatabase":
    """Return the database of a loan, which the test, or its class, module or session, may reach from now on."""
    database = loan.database
    database.conninfo = gate.allow(request.node.nodeid, loan.conninfo, fixture=request.fixturename or "")
    return database


@pytest.fixture
def conn(trueup_databases: "Databases") -> Iterator["KeptConnection"]:
    """Give a connection inside one transaction, which is rolled back after the test; what was deferred is checked."""
    with told():
        loan = find_loan(making.request, trueup_databases)
        connection = loan.conn
    connection.begin()
    yield connection
    trueup_databases.end_conn(loan, connection)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Let a test fail whose `conn` could not be committed at its end, or was."""
    yield
    if (connection := conn_of(item)) is not None:
        with told():
            failure = connection.check()
        if failure is not None:
            pytest.fail(f"a commit at the end of the test would have failed: {failure}", pytrace=False)


@pytest.fixture
def db(trueup_databases: "Databases") -> Iterator["TestDatabase"]:
    """Give a database of the test's own, for code that opens connections and commits; it is put back afterwards.

    For a test that also uses `class_db`, `module_db` or `session_db` it is that one, put back to how the test found it.
    """
    request = making.request
    shared = shared_by(request.fixturenames)
    with told():
        if shared is None:
            loan = trueup_databases.lend("db", asked_kind(request))
        else:
            request.getfixturevalue(shared)
            loan = trueup_databases.lend_shared(shared, asked_kind(request))
    yield handed_out(request, loan)
    give_back(request, trueup_databases, "db")


@pytest.fixture
def fresh_db(request: pytest.FixtureRequest, trueup_databases: "Databases") -> Iterator["TestDatabase"]:
    """Give a new clone, dropped afterwards: for DDL, and whatever else can't be put back."""
    with told():
        loan = trueup_databases.lend_new("fresh_db", asked_kind(request))
    yield handed_out(request, loan)
    give_back(request, trueup_databases, "fresh_db")


def give_back(request: pytest.FixtureRequest, databases: "Databases", fixture: str) -> None:
    """Give the database of a test back; that of one that failed is kept, if the run was asked to."""
    with told():
        if not is_to_be_kept(request.node) or shared_by(request.fixturenames):
            databases.take_back(fixture)
            return
        from trueup.servers import installation  # noqa: PLC0415  Only a run with databases pays for it.

        conninfo = databases.keep(fixture, request.node.nodeid)
        version = databases.site.admin.info.server_version // 10_000
        tell_kept(request.node, conninfo, installation(version) if databases.host.is_embedded else None)


def lend_for_scope(request: pytest.FixtureRequest, databases: "Databases", fixture: str) -> Iterator["TestDatabase"]:
    """Give a database that several tests share; it is put back after the last of them."""
    with told():
        loan = databases.lend(fixture, asked_kind(request))
    yield handed_out(request, loan)
    with told():
        databases.take_back(fixture)


@pytest.fixture(scope="class")
def class_db(request: pytest.FixtureRequest, trueup_databases: "Databases") -> Iterator["TestDatabase"]:
    """Give a database that the tests of a class share."""
    yield from lend_for_scope(request, trueup_databases, "class_db")


@pytest.fixture(scope="module")
def module_db(request: pytest.FixtureRequest, trueup_databases: "Databases") -> Iterator["TestDatabase"]:
    """Give a database that the tests of a module share."""
    yield from lend_for_scope(request, trueup_databases, "module_db")


@pytest.fixture(scope="session")
def session_db(request: pytest.FixtureRequest, trueup_databases: "Databases") -> Iterator["TestDatabase"]:
    """Give a database that all tests of a process share."""
    yield from lend_for_scope(request, trueup_databases, "session_db")


@pytest.fixture
def dsn(request: pytest.FixtureRequest, trueup_databases: "Databases") -> str:
    """Return the connection string of the test's database, for threads, subprocesses and other drivers."""
    return handed_out(request, find_loan(request, trueup_databases)).dsn


@pytest.fixture
def observer(request: pytest.FixtureRequest, trueup_databases: "Databases") -> "Connection":
    """Return a second connection to the test's database, which sees what is committed and can't change anything."""
    with told():
        return find_loan(request, trueup_databases).observer


@pytest.fixture
def fresh_db_on(request: pytest.FixtureRequest) -> Iterator["Callable[[str], TestDatabase]"]:
    """Return a function that gives a new clone on any server: `fresh_db_on("embedded:16")`."""
    lent: list[tuple[Databases, str]] = []

    def lend(server: str) -> "TestDatabase":
        with told():
            wanted = known_server(request.config.stash[OPTIONS], server, "fresh_db_on")
            databases = databases_on(request.session, wanted)
            loan = databases.lend_new(f"fresh_db_on {len(lent)}", asked_kind(request))
        lent.append((databases, f"fresh_db_on {len(lent)}"))
        return handed_out(request, loan)

    yield lend
    for databases, fixture in lent:
        give_back(request, databases, fixture)
