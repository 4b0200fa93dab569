"""The fixtures of the runtime's suite with a pooler in between, and a look into the server's log after each test."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.integration.db.conftest import NUMBERS, Log
from tests.integration.db.pgbouncer import PROGRAM, PgBouncer

from trueup.conninfo import ConnInfo
from trueup.db import Database, connect
from trueup.settings import DatabaseSettings
from trueup.testing.faults import Proxy
from trueup.testing.lending.host import OwnServer

CONFIGURATION = {
    "synchronous_commit": "on",
    "deadlock_timeout": "50ms",
    "max_connections": "60",
    "log_statement": "all",
    "log_line_prefix": "%m [%p] %a ",
}
VERSIONS = [pytest.param("embedded:16", marks=pytest.mark.long), "embedded:18"]
LOGGED = re.compile(
    r"^\S+ \S+ UTC \[\d+\] (?:svc|trueup):\d+ LOG:  (?:statement|execute (?P<name>[^:]+)): (?P<text>.*(?:\n\t.*)*)",
    re.MULTILINE,
)
"""A statement of the runtime in the server's log."""
OF_THE_POOLER = re.compile(r"SET (?:application_name|client_encoding|DateStyle|TimeZone|standard_conforming_strings)='")
"""What the pooler sends itself, to make a connection the next client's."""
OF_THE_SESSION = re.compile(
    r"""
    ^\s* (?: set\s+(?!local\b|transaction\b|constraints\b) | reset\b | discard\b | load\b | prepare\b | deallocate\b
        | listen\b | unlisten\b | declare\b.*\bwith\s+hold\b )
    | \bpg_(?:try_)?advisory_(?:lock|unlock) | \bset_config\b(?!.*\btrue\s*\))
    | \bcreate\s+(?:temp|temporary)\b(?!.*\bon\s+commit\s+drop\b)
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


def session_scoped(log: str) -> list[str]:
    """Return the statements in a server's log that outlive their transaction, and named prepared ones."""
    found = []
    for logged in LOGGED.finditer(log):
        if logged["name"] not in {None, "<unnamed>"}:
            found.append(f"prepared {logged['name']}: {logged['text']}")
        statements = logged["text"].split(";")
        found += [text for text in statements if OF_THE_SESSION.search(text) and not OF_THE_POOLER.match(text)]
    return found


@pytest.fixture(scope="session", params=VERSIONS, ids=["pg16", "pg18"])
def own_server(request: pytest.FixtureRequest, session_server_on: Callable[..., OwnServer]) -> OwnServer:
    """Return a server that logs every statement."""
    if PROGRAM is None:
        pytest.skip("pgbouncer is not installed: apt-get install pgbouncer")
    return session_server_on(request.param, tcp=True, configuration=CONFIGURATION)


@pytest.fixture(scope="session")
def pgbouncer(own_server: OwnServer) -> Iterator[PgBouncer]:
    with PgBouncer(own_server.port) as found:
        yield found


@pytest.fixture
def target(own_server: OwnServer) -> Iterator[ConnInfo]:
    """Return a new database with one table for the test: the pooler keeps connections to those that were."""
    own_server.start()
    name = f"pooled_{next(NUMBERS)}"
    conninfo = own_server.create_database(name)
    with connect(conninfo) as connection:
        connection.execute("create table t (id int primary key, note text not null default '')")
    yield conninfo
    own_server.start()
    own_server.drop_database(name)


@pytest.fixture
def proxy(pgbouncer: PgBouncer, own_server: OwnServer) -> Iterator[Proxy]:
    """Return a wire to the pooler."""
    with Proxy(pgbouncer.conninfo(own_server.conninfo())) as found:
        yield found


@pytest.fixture
def open_db(target: ConnInfo, pgbouncer: PgBouncer) -> Iterator[Callable[..., Database]]:
    """Return a function that makes a Database on the test's database, through the pooler.

    Nobody ends a transaction whose client fell silent before its COMMIT: it lasts until it was idle for too long.
    """
    opened: list[Database] = []

    def make(
        wire: Proxy | None = None, *, log: Log | None = None, conninfo: ConnInfo = target, **settings: Any
    ) -> Database:
        pooled = wire.through(pgbouncer.conninfo(conninfo)) if wire else pgbouncer.conninfo(conninfo)
        usual = {"service": "svc", "pooler": True, "statement_timeout_s": 5, "idle_in_transaction_timeout_s": 1.5}
        chosen = DatabaseSettings(conninfo=pooled, **{**usual, **settings})
        database = Database(chosen, listener=log.append if log is not None else None)
        opened.append(database)
        return database

    yield make
    for database in opened:
        database.close(drain_s=0)


@pytest.fixture(autouse=True)
def nothing_of_the_session(own_server: OwnServer) -> Iterator[None]:
    """Check after the test that the runtime left nothing to whoever gets the server's session next."""
    before = len(own_server.log_text())
    yield
    if found := session_scoped(own_server.log_text()[before:]):
        pytest.fail(f"outlives its transaction: {found}", pytrace=False)


def take_over(module: Any, names: dict[str, Any], direct_only: dict[str, str]) -> None:
    """Let a module have the tests of another, and skip those that can't be meant for a pooler, with a reason."""
    for name, found in vars(module).items():
        is_fixture = type(found).__name__ == "FixtureFunctionDefinition"
        if name.startswith("test_") and name in direct_only:
            names[name] = skipped(name, direct_only[name])
        elif name.startswith("test_") or (is_fixture and name not in names):
            names[name] = found


def skipped(name: str, reason: str) -> Callable[[], None]:
    @pytest.mark.skip(reason=reason)
    def test() -> None:
        raise AssertionError

    test.__name__ = name
    return test
