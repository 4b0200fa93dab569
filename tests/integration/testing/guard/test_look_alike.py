"""A suite that is aimed at a database that only looks like the tests' own is refused, whatever way it is aimed.

W-T1, W-T3: suites ran against the production database, for nothing asked whose it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.servers import EmbeddedServer
from trueup.testing.faults.proxy import Proxy
from trueup.testing.identity import OWNER, database_mark, mark_database, read_identity

SCHEMA = "create table clients (id int generated always as identity primary key, name text not null)"
MIGRATION = f"-- migrate:up\n{SCHEMA};\n-- migrate:down\ndrop table clients;\n"


@dataclass(frozen=True, kw_only=True)
class Production:
    """Is a server with people's data, and on it a database that tests own, as on a staging machine."""

    server: EmbeddedServer
    admin: psycopg.Connection

    @property
    def crm(self) -> ConnInfo:
        """The database that must not be touched."""
        return self.server.conninfo("crm")

    def mark_of(self, name: str) -> str:
        found = read_identity(self.admin.pgconn, name)
        return database_mark(found.system_identifier, found.oid)

    def say(self, statement: str, *names: str, literal: str | None = None) -> None:
        parts = [sql.Identifier(name) for name in names] + ([sql.Literal(literal)] if literal is not None else [])
        self.admin.execute(sql.SQL(statement).format(*parts))

    def state(self) -> list[tuple[object, ...]]:
        """Return everything that a suite could have changed."""
        with psycopg.connect(self.crm.reveal()) as look:
            rows = look.execute("select id, name, xmin::text from clients order by id").fetchall()
            tables = look.execute("select relname from pg_class where relnamespace = 'public'::regnamespace").fetchall()
        found = self.admin.execute("select datname, datdba, dattablespace from pg_database order by datname").fetchall()
        return [*rows, *sorted(tables), *found]


@pytest.fixture(scope="module")
def production(cache_folder) -> Iterator[Production]:
    with EmbeddedServer(18, cache_folder=cache_folder, tcp=True) as server, connected(server) as admin:
        production = Production(server=server, admin=admin)
        production.say("create role app login")
        production.say("create role trueup_tests")
        production.say("create database crm owner app strategy file_copy")
        production.say("comment on database crm is 'test, really'")
        production.say("create database staging owner trueup_tests strategy file_copy")
        mark_database(admin, "staging")
        with psycopg.connect(server.conninfo("crm").reveal()) as connection:
            connection.execute(f"{SCHEMA}; insert into clients (name) values ('Ann'), ('Ben')".encode())
        yield production


def connected(server: EmbeddedServer) -> psycopg.Connection:
    return psycopg.connect(server.conninfo().reveal(), autocommit=True)


@pytest.fixture(autouse=True)
def untouched(production: Production) -> Iterator[None]:
    before = production.state()
    yield
    assert production.state() == before


USE = """
def test_db(db):
    with db.transaction() as transaction:
        transaction.connection.execute("delete from clients")


def test_conn(conn):
    conn.execute("delete from clients")


def test_fresh_db(fresh_db):
    pass
"""


@pytest.fixture
def project(suite):
    (suite.pytester.path / "migrations").mkdir()
    (suite.pytester.path / "migrations" / "20260101000000_crm.sql").write_text(MIGRATION)
    suite.pytester.makepyprojecttoml('[tool.trueup]\nschema = "migrations"\n')
    return suite


def assert_refused(outcome) -> None:
    assert set(outcome.results.values()) == {"error"}, outcome.printed
    for text in outcome.texts.values():
        assert 'tests don\'t own the database "crm"' in text, text


def test_1_option_with_a_uri(project, production: Production) -> None:
    address = f"postgresql://postgres@127.0.0.1:{production.server.port}/crm"

    assert_refused(project.run(USE, f"--trueup-server={address}"))


@pytest.mark.long
def test_2_option_with_keywords_and_another_name_of_the_host(project, production: Production) -> None:
    address = f"host=localhost hostaddr=127.0.0.1 port={production.server.port} user=postgres dbname=crm"

    assert_refused(project.run(USE, f"--trueup-server={address}"))


@pytest.mark.long
def test_3_ini_file(project, production: Production) -> None:
    assert_refused(project.run(USE, "-o", f"trueup_server={production.crm.reveal()}"))


def test_4_variable_of_pytest(project, production: Production, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"postgresql://postgres@127.0.0.1:{production.server.port}/crm"
    monkeypatch.setenv("PYTEST_ADDOPTS", f"--trueup-server={address}")

    assert_refused(project.run(USE))


def test_5_service_file(project, production: Production, monkeypatch: pytest.MonkeyPatch) -> None:
    file = project.pytester.path / "pg_service.conf"
    file.write_text(f"[tests]\nhost=127.0.0.1\nport={production.server.port}\nuser=postgres\ndbname=crm\n")
    monkeypatch.setenv("PGSERVICEFILE", str(file))

    assert_refused(project.run(USE, "--trueup-server=service=tests"))


def test_6_name_that_the_environment_completes(project, production, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATABASE", "crm")
    monkeypatch.setenv("PGPORT", str(production.server.port))

    assert_refused(project.run(USE, "--trueup-server=host=127.0.0.1 user=postgres"))


def test_7_proxy_in_between(project, production: Production) -> None:
    with Proxy(production.crm) as proxy:
        assert_refused(project.run(USE, f"--trueup-server={proxy.conninfo.reveal()}"))


def test_8_all_workers_at_once(project, production: Production) -> None:
    assert_refused(project.run(USE, f"--trueup-server={production.crm.reveal()}", "-n", "2"))


def test_9_guard_that_is_off(project, production: Production) -> None:
    assert_refused(project.run(USE, f"--trueup-server={production.crm.reveal()}", "-o", "trueup_guard=false"))


def test_10_search_path_with_a_catalog_of_its_own(project, production: Production) -> None:
    address = production.crm.with_parameters(options="-c search_path=public,pg_catalog").reveal()

    assert_refused(project.run(USE, f"--trueup-server={address}"))


def test_11_comment_without_the_owner(project, production: Production) -> None:
    production.say("comment on database {} is {}", "crm", literal=production.mark_of("crm"))
    try:
        assert_refused(project.run(USE, f"--trueup-server={production.crm.reveal()}"))
    finally:
        production.say("comment on database {} is {}", "crm", literal="test, really")


def test_12_owner_without_the_comment(project, production: Production) -> None:
    production.say("alter database {} owner to {}", "crm", OWNER)
    try:
        outcome = project.run(USE, f"--trueup-server={production.crm.reveal()}")
        assert_refused(outcome)
        assert "its comment is not the mark" in outcome.texts["test_db"]
    finally:
        production.say("alter database {} owner to {}", "crm", "app")


@pytest.mark.long
def test_13_owner_and_comment_of_another_database(project, production: Production) -> None:
    """As after `pg_dump --create` of the tests' database, or a comment that was copied by hand."""
    production.say("alter database {} owner to {}", "crm", OWNER)
    production.say("comment on database {} is {}", "crm", literal=production.mark_of("staging"))
    try:
        outcome = project.run(USE, f"--trueup-server={production.crm.reveal()}")
        assert_refused(outcome)
        assert "made for another database or on another server" in outcome.texts["test_db"]
    finally:
        production.say("alter database {} owner to {}", "crm", "app")
        production.say("comment on database {} is {}", "crm", literal="test, really")


def test_14_name_of_the_tests_database_on_the_wrong_server(project, production: Production, owned) -> None:
    """The tests' own database is called `owned`, and one of production is called so too."""
    production.say("create database owned template crm owner trueup_tests strategy file_copy")
    try:
        address = production.server.conninfo("owned").reveal()
        outcome = project.run(USE, f"--trueup-server={address}")
        assert set(outcome.results.values()) == {"error"}
        assert 'own the database "owned"' in outcome.texts["test_db"]
    finally:
        production.say("drop database owned")


@pytest.mark.long
def test_15_template_that_was_swapped(project, production: Production) -> None:
    """A copy of production is given the name that the next run would clone."""
    address = production.server.conninfo("staging").reveal()
    project.run("def test_db(db):\n    pass", f"--trueup-server={address}")
    [(name,)] = production.admin.execute(
        "select datname from pg_database where datname like 'trueup_template_%'"
    ).fetchall()
    production.say("alter database {} with is_template false", name)
    production.say("drop database {}", name)
    production.say("create database {} template crm owner app strategy file_copy is_template true", name)
    try:
        outcome = project.run(USE, f"--trueup-server={address}")
        assert set(outcome.results.values()) == {"error"}, outcome.printed
        assert f'own the database "{name}"' in outcome.texts["test_db"]
    finally:
        production.say("alter database {} with is_template false", name)
        production.say("drop database {}", name)


INSIDE = '''
import asyncio
import subprocess
import threading

import psycopg
import psycopg_pool
import pytest

from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.errors import Refused
from trueup.settings import DatabaseSettings

CRM = """{crm}"""
PORT = "{port}"


@pytest.fixture(autouse=True)
def given(dsn, monkeypatch):
    """The test has a database of its own, so it may open connections."""
    yield monkeypatch
    from trueup.testing.guard.gate import gate
    gate.owner.refusals.clear()


def test_16_uri():
    with pytest.raises(Refused, match="own the database .crm."):
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{{PORT}}/crm")


def test_17_variables(given):
    for name, value in dict(PGHOST="127.0.0.1", PGPORT=PORT, PGUSER="postgres", PGDATABASE="crm").items():
        given.setenv(name, value)
    with pytest.raises(Refused, match="own the database .crm."):
        psycopg.connect()


def test_18_service(given, tmp_path):
    lines = ["[prod]", "host=127.0.0.1", f"port={{PORT}}", "user=postgres", "dbname=crm"]
    (tmp_path / "pg_service.conf").write_text("\\n".join(lines))
    given.setenv("PGSERVICEFILE", str(tmp_path / "pg_service.conf"))
    given.setenv("PGSERVICE", "prod")
    with pytest.raises(Refused, match="own the database .crm."):
        psycopg.connect()


def test_19_other_database_of_the_server_of_the_given_one(dsn):
    with pytest.raises(Refused, match="own the database .postgres."):
        psycopg.connect(dsn, dbname="postgres")


def test_20_pools():
    with pytest.raises(Refused, match="own the database .crm."):
        with psycopg_pool.ConnectionPool(CRM, open=False) as pool, pool.connection(timeout=5):
            pass
    with pytest.raises(Refused, match="own the database .crm."):
        with Database(DatabaseSettings(conninfo=ConnInfo.parse(CRM), service="crm")) as database:
            database.connection().__enter__()


def test_21_async():
    with pytest.raises(Refused, match="own the database .crm."):
        asyncio.run(psycopg.AsyncConnection.connect(CRM))


def test_22_thread():
    caught = []

    def work():
        try:
            psycopg.connect(CRM)
        except Refused as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "own the database" in str(caught[0])


def test_23_bare_connection():
    for connect in (psycopg.pq.PGconn.connect, psycopg.pq.PGconn.connect_start):
        with pytest.raises(Refused, match="own the database .crm."):
            connect(CRM.encode())


def test_24_options_of_the_session():
    with pytest.raises(Refused, match="own the database .crm."):
        psycopg.connect(CRM, options="-c search_path=public,pg_catalog -c default_transaction_read_only=on")


def test_25_asyncpg():
    asyncpg = pytest.importorskip("asyncpg")
    with pytest.raises(Refused, match="own the database .crm."):
        asyncio.run(asyncpg.connect(host="127.0.0.1", port=PORT, user="postgres", database="crm"))


@pytest.mark.parametrize("driver", ["psycopg2", "pg8000.dbapi"])
def test_26_other_drivers(driver):
    module = pytest.importorskip(driver)
    with pytest.raises(Refused, match="own the database .crm."):
        module.connect(host="127.0.0.1", port=int(PORT), user="postgres", database="crm")


def test_27_after_the_right_one(dsn):
    for _ in range(2):
        psycopg.connect(dsn).close()
        with pytest.raises(Refused, match="own the database .crm."):
            psycopg.connect(CRM)
'''


def test_16_to_27_connections_that_tests_open(suite, production: Production) -> None:
    outcome = suite.run(INSIDE.format(crm=production.crm.reveal(), port=production.server.port), "-W", "ignore")

    assert len(outcome.results) == 13
    assert set(outcome.results.values()) <= {"passed", "skipped"}, outcome.printed
    sessions = "select application_name from pg_stat_activity where datname = 'crm'"
    assert production.admin.execute(sessions).fetchall() == []
