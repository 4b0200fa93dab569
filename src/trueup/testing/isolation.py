"""The fixtures: what a test asks for decides how it is kept apart from others."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from trueup.testing.hosting import Hosting, visit
from trueup.testing.marks import kind_of
from trueup.testing.options import Options

if TYPE_CHECKING:
    from trueup.db import Connection, Database
    from trueup.testing.databases import Databases, Loan
    from trueup.testing.kept import KeptConnection

OPTIONS = pytest.StashKey[Options]()
HOSTING = pytest.StashKey[Hosting]()
"""Is there in the process that has the server of the run."""


@pytest.fixture(scope="session")
def trueup_databases(pytestconfig: pytest.Config) -> Iterator["Databases"]:
    """Give the databases of this process; the server of the run is started when this is first asked for."""
    from trueup.testing.databases import open_databases  # noqa: PLC0415  Only a run with databases pays for these.

    options = pytestconfig.stash[OPTIONS]
    if HOSTING in pytestconfig.stash:
        host, worker = pytestconfig.stash[HOSTING].open(), "main"
    else:
        told = pytestconfig.workerinput  # type: ignore[attr-defined]
        host, worker = visit(told["trueup_address"], options), told["workerid"]
    databases = open_databases(host, options, worker)
    try:
        yield databases
    finally:
        databases.close()


@pytest.fixture
def conn(request: pytest.FixtureRequest, trueup_databases: "Databases") -> Iterator["KeptConnection"]:
    """Give a connection inside one transaction, which is rolled back after the test; what was deferred is checked."""
    from trueup.testing.databases import open_conn  # noqa: PLC0415

    kind = kind_of(request.node, request.config.stash[OPTIONS])
    connection = open_conn(trueup_databases.for_conn(kind))
    connection.begin()
    yield connection
    problem = connection.end()
    if problem:
        pytest.fail(f"a commit would have failed at the end of the test: {problem}", pytrace=False)


@pytest.fixture
def leased(request: pytest.FixtureRequest, trueup_databases: "Databases") -> Iterator["Loan"]:
    """Give the database of the test; it goes back to its first state afterwards."""
    loan = trueup_databases.borrow(kind_of(request.node, request.config.stash[OPTIONS]))
    yield loan
    trueup_databases.give_back(loan)


@pytest.fixture
def db(leased: "Loan") -> "Database":
    """Return a database of the test's own, for code that opens connections and commits."""
    return leased.database


@pytest.fixture
def fresh_db(request: pytest.FixtureRequest, trueup_databases: "Databases") -> Iterator["Database"]:
    """Give a new clone, dropped afterwards."""
    loan = trueup_databases.create(kind_of(request.node, request.config.stash[OPTIONS]))
    yield loan.database
    trueup_databases.discard(loan)


@pytest.fixture
def dsn(leased: "Loan") -> str:
    """Return the connection string of the test's database, for threads and subprocesses."""
    return leased.conninfo.reveal()


@pytest.fixture
def observer(leased: "Loan") -> "Connection":
    """Return a second connection, which sees only what is committed and can't change anything."""
    from trueup.testing.databases import open_observer  # noqa: PLC0415

    return open_observer(leased)
