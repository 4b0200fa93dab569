"""A database with something of everything, its baseline, and an oracle that shares no code with the product."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.db import Connection, connect
from trueup.servers import EmbeddedServer
from trueup.testing.rewind import Baseline, Fingerprint, fingerprint

SCHEMA = (Path(__file__).parent / "schema.sql").read_text()
Run = Callable[..., None]


@pytest.fixture(scope="session")
def templates() -> dict[int, str]:
    """Return the names of the templates that exist, by version."""
    return {}


@pytest.fixture
def filled(server: EmbeddedServer, templates: dict[int, str], request: pytest.FixtureRequest) -> Iterator[ConnInfo]:
    """Return a database with tables of every kind and rows in them."""
    if server.version not in templates:
        templates[server.version] = "rewind_template"
        run_script(server.create_database("rewind_template"), SCHEMA)
    name = f"rewind_{abs(hash(request.node.nodeid))}"
    yield server.create_database(name, template="rewind_template")
    server.drop_database(name)


@pytest.fixture
def baseline(filled: ConnInfo) -> Iterator[Baseline]:
    """Return the baseline of the filled database."""
    with Baseline.take(filled) as taken:
        yield taken


@pytest.fixture
def run(filled: ConnInfo) -> Run:
    """Return what runs SQL in the filled database, each text on a connection of its own."""

    def run_texts(*texts: str) -> None:
        for text in texts:
            run_script(filled, text)

    return run_texts


def run_script(conninfo: ConnInfo, text: str) -> None:
    """Run SQL in autocommit mode, as one message."""
    connection = connect(conninfo, application_name="test")
    try:
        connection.execute(text.encode())
    finally:
        connection.close()


def content(conninfo: ConnInfo) -> dict[str, Any]:
    """Return every row of every table and every sequence's position, read row by row."""
    with psycopg.connect(conninfo.reveal(), autocommit=True) as connection:
        found: dict[str, Any] = {}
        for oid, kind in relations(connection):
            columns = "last_value, is_called" if kind == "S" else "*"
            name = connection.execute("select %s::regclass::text", (oid,)).fetchall()[0][0]
            query = sql.SQL(f"select {columns} from {'' if kind == 'S' else 'only '}{name}")
            found[name] = sorted(map(repr, connection.execute(query).fetchall()))
        return found


def relations(connection: Connection) -> list[tuple[int, str]]:
    """Return the oid and kind of what holds rows or a position."""
    return connection.execute(
        "select oid, relkind::text from pg_class where relkind in ('r', 'm', 'S')"
        " and relnamespace = 'public'::regnamespace order by oid"
    ).fetchall()


def mark_of(conninfo: ConnInfo) -> Fingerprint:
    """Return the fingerprint of a database."""
    with connect(conninfo) as connection:
        return fingerprint(connection)
