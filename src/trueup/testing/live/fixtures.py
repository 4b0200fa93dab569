"""Tests on a live database: `--trueup-live NAME` and `--trueup-live-writes`, and the fixture `live`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from trueup.testing.guard.gate import gate
from trueup.testing.isolation import OPTIONS, told

if TYPE_CHECKING:
    from trueup.conninfo import ConnInfo
    from trueup.db import Connection, Database
    from trueup.tables import Table

CONNECTIONS = 3
"""That a test may hold: another one looks at what a transaction has changed."""
TIMEOUT_S = 60.0
LOCK_TIMEOUT_S = 5.0
"""How long a test waits for a lock: people wait behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Is the live database of a run, checked once."""

    conninfo: "ConnInfo"
    tables: "tuple[Table[Any], ...]"
    writes: bool


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("trueup")
    group.addoption(
        "--trueup-live",
        metavar="NAME",
        help="let tests that ask for `live` read this live database, named under live in trueup's configuration",
    )
    group.addoption(
        "--trueup-live-writes",
        action="store_true",
        help="run the tests that ask for `live` and `make` instead, which leave marked rows there until they end",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a combination that means nothing."""
    if config.getoption("--trueup-live-writes") and not config.getoption("--trueup-live"):
        raise pytest.UsageError("--trueup-live-writes needs --trueup-live NAME")


@pytest.fixture(scope="session")
def trueup_live(request: pytest.FixtureRequest) -> Live:
    """Return the live database of the run, once it is certain that nothing but what is allowed can happen to it."""
    from trueup.settings import Settings  # noqa: PLC0415  Only a run on a live database pays for these.
    from trueup.tables.declared import declared_tables  # noqa: PLC0415

    config = request.config
    writes = bool(config.getoption("--trueup-live-writes"))
    with told():
        settings = Settings.load(config.stash[OPTIONS].folder)
        conninfo = find_live(settings.live, config.getoption("--trueup-live"), settings.variables)
        if not writes:
            conninfo = read_only(conninfo)
        with checked(conninfo, writes=writes) as connection:
            conninfo = conninfo.with_parameters(dbname=connection.info.dbname)
        tables = declared_tables(settings.contracts) if writes else ()
    return Live(conninfo=conninfo, tables=tables, writes=writes)


def find_live(known: Any, name: str, variables: Any) -> "ConnInfo":
    """Return the connection of a live database by its name in the configuration.

    Raises:
        UsageError: there is none of that name, or its variable is not set.
    """
    from trueup.conninfo import ConnInfo  # noqa: PLC0415  As above.
    from trueup.errors import UsageError  # noqa: PLC0415
    from trueup.servers.source import read_variable  # noqa: PLC0415

    if name not in known:
        names = ", ".join(sorted(known)) or "none"
        raise UsageError(
            f'--trueup-live: no live database is called "{name}" (known: {names}); name it under [tool.trueup.live]:'
            f' {name} = "env:VARIABLE"'
        )
    reference = known[name]
    if reference.startswith("env:"):
        found = read_variable(reference.removeprefix("env:"), variables)
    else:
        found = ConnInfo.parse(reference)
    return found.labelled(f'the live database "{name}"')


def read_only(conninfo: "ConnInfo") -> "ConnInfo":
    """Return the connection with sessions that can only read."""
    given = conninfo.parameters.get("options", "")
    return conninfo.with_parameters(options=f"{given} -c default_transaction_read_only=on".strip())


@contextmanager
def checked(conninfo: "ConnInfo", *, writes: bool) -> Iterator["Connection"]:
    """Give a connection that may do what the run is for and no more; the gate knows its database then.

    Raises:
        Refused: a role that reads could write, or the owner has not permitted test data, or the journal is missing.
    """
    from trueup.db import connect  # noqa: PLC0415  As above.
    from trueup.errors import Refused  # noqa: PLC0415
    from trueup.tables.markers import has_journal  # noqa: PLC0415
    from trueup.testing.identity import read_place  # noqa: PLC0415
    from trueup.testing.live.permission import check_permission  # noqa: PLC0415
    from trueup.testing.live.reader import check_reader  # noqa: PLC0415

    connection = connect(conninfo)
    try:
        if writes:
            check_permission(connection)
            if not has_journal(connection):
                raise Refused(f"{conninfo} has no table trueup.made; its owner creates it by: trueup testdata allow DB")
        else:
            check_reader(connection)
        gate.known.add(read_place(connection.pgconn))
        yield connection
    finally:
        connection.close()


@pytest.fixture
def live(request: pytest.FixtureRequest) -> Iterator["Database"]:
    """Give the live database of the run: to read, or with `make` to write marked rows, deleted after the test."""
    from trueup.settings import DatabaseSettings  # noqa: PLC0415  As above.

    skip_unless_wanted(request)
    found: Live = request.getfixturevalue("trueup_live")
    conninfo = gate.allow(request.node.nodeid, found.conninfo, fixture="live")
    settings = DatabaseSettings(
        conninfo=conninfo,
        service="trueup-live",
        max_connections=CONNECTIONS,
        statement_timeout_s=TIMEOUT_S,
        lock_timeout_s=LOCK_TIMEOUT_S,
    )
    with told(), opened(settings, found) as db:
        yield db


def skip_unless_wanted(request: pytest.FixtureRequest) -> None:
    """Skip the test unless the run is for tests of its kind: those that read, or those that write."""
    config = request.config
    writes = "make" in request.fixturenames
    if not config.getoption("--trueup-live"):
        pytest.skip("asks for a live database: run it with --trueup-live NAME")
    if writes and not config.getoption("--trueup-live-writes"):
        pytest.skip("writes to a live database: run it with --trueup-live-writes")
    if not writes and config.getoption("--trueup-live-writes"):
        pytest.skip("only reads a live database, as a role that can't write: run it without --trueup-live-writes")


def opened(settings: Any, found: Live) -> "Database":
    """Return the database for one test."""
    from trueup.db import Database  # noqa: PLC0415  As above.
    from trueup.testing.live.database import LiveDatabase  # noqa: PLC0415

    return LiveDatabase(settings, found.tables) if found.writes else Database(settings)
