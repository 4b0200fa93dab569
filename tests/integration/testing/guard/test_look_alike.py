"""A suite that is aimed at a database that only looks like the tests' own is refused, whatever way it is aimed.

W-T1, W-T3: suites ran against the production database, for nothing asked whose it is.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from tests.integration.testing.projects import WITHOUT, Ran, read_outcome, run_tests, write

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
FILES = {
    "pyproject.toml": '[tool.trueup]\nschema = "migrations"\n',
    "migrations/20260101000000_crm.sql": MIGRATION,
    "test_suite.py": USE,
}
ONCE = ("test_db", "test_conn", "test_fresh_db")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return the folder of a suite that changes rows."""
    write(tmp_path, FILES)
    return tmp_path


def assert_refused(ran: Ran, name: str = "crm", at: str = "") -> None:
    found = ran.of("test_suite")
    assert [found[test + at] for test in ONCE] == ["error"] * 3, ran.printed
    for test in ONCE:
        assert f'tests don\'t own the database "{name}"' in ran.texts[test + at], ran.texts[test + at]


@dataclass(frozen=True, kw_only=True)
class Aimed:
    """Is one run of the suite on all of these servers, by the number of the way."""

    ran: Ran
    ways: list[int]

    def assert_refused(self, way: int, name: str = "crm") -> str:
        """Return what one of its tests was told."""
        place = self.ways.index(way) + 1
        at = f"[provided{place if place > 1 else ''}]"
        assert_refused(self.ran, name, at)
        return self.ran.texts[f"test_db{at}"]


@pytest.fixture(scope="module")
def aimed(production: Production, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aimed]:
    """Return what became of a suite that was aimed in all ways that a list of servers can tell, at once."""
    folder = tmp_path_factory.mktemp("aimed")
    write(folder, FILES)
    port = production.server.port
    service = folder / "pg_service.conf"
    service.write_text(f"[tests]\nhost=127.0.0.1\nport={port}\nuser=postgres\ndbname=crm\n", encoding="utf-8")
    look_alikes(production)
    before = production.state()
    with pytest.MonkeyPatch.context() as patch, Proxy(production.crm) as proxy:
        for name, value in {"PGSERVICEFILE": service, "PGDATABASE": "crm", "PGPORT": port}.items():
            patch.setenv(name, str(value))
        ways = {
            1: f"postgresql://postgres@127.0.0.1:{port}/crm",
            2: f"host=localhost hostaddr=127.0.0.1 port={port} user=postgres dbname=crm",
            5: "service=tests",
            6: "host=127.0.0.1 user=postgres",
            7: proxy.conninfo.reveal(),
            10: production.crm.with_parameters(options="-c search_path=public,pg_catalog").reveal(),
            **{way: production.server.conninfo(name).reveal() for way, name in LOOK_ALIKES.items()},
        }
        ran = run_tests(folder, *(f"--trueup-server={address}" for address in ways.values()))
    assert production.state() == before
    yield Aimed(ran=ran, ways=list(ways))
    for name in LOOK_ALIKES.values():
        production.say("drop database {}", name)


LOOK_ALIKES = {11: "commented", 12: "taken", 13: "restored", 14: "owned"}


def look_alikes(production: Production) -> None:
    """Make copies of production that look like a database of tests."""
    for name in LOOK_ALIKES.values():
        production.say("create database {} template crm owner app strategy file_copy", name)
    production.say("comment on database {} is {}", "commented", literal=production.mark_of("commented"))
    production.say("alter database {} owner to {}", "taken", OWNER)
    production.say("comment on database {} is {}", "restored", literal=production.mark_of("staging"))
    for name in ("restored", "owned"):
        production.say("alter database {} owner to {}", name, OWNER)


def test_1_option_with_a_uri(aimed: Aimed) -> None:
    aimed.assert_refused(1)


def test_2_option_with_keywords_and_another_name_of_the_host(aimed: Aimed) -> None:
    aimed.assert_refused(2)


@pytest.mark.long
def test_3_ini_file(project: Path, production: Production) -> None:
    assert_refused(run_tests(project, "-o", f"trueup_server={production.crm.reveal()}"))


def test_4_variable_of_pytest_9_and_guard_that_is_off(
    project: Path, production: Production, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"postgresql://postgres@127.0.0.1:{production.server.port}/crm"
    monkeypatch.setenv("PYTEST_ADDOPTS", f"--trueup-server={address} {WITHOUT}")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-o", "trueup_guard=false", "--junitxml=outcome.xml"], cwd=project, check=False
    )

    results, texts = read_outcome(project / "outcome.xml")
    assert_refused(Ran(results=results, texts=texts, printed="", status=done.returncode))


def test_5_service_file(aimed: Aimed) -> None:
    aimed.assert_refused(5)


def test_6_name_that_the_environment_completes(aimed: Aimed) -> None:
    aimed.assert_refused(6)


def test_7_proxy_in_between(aimed: Aimed) -> None:
    aimed.assert_refused(7)


def test_8_all_workers_at_once(project: Path, production: Production) -> None:
    assert_refused(run_tests(project, f"--trueup-server={production.crm.reveal()}", "-n", "2"))


def test_10_search_path_with_a_catalog_of_its_own(aimed: Aimed) -> None:
    aimed.assert_refused(10)


def test_11_comment_without_the_owner(aimed: Aimed) -> None:
    aimed.assert_refused(11, "commented")


def test_12_owner_without_the_comment(aimed: Aimed) -> None:
    assert "its comment is not the mark" in aimed.assert_refused(12, "taken")


def test_13_owner_and_comment_of_another_database(aimed: Aimed) -> None:
    """As after `pg_dump --create` of the tests' database, or a comment that was copied by hand."""
    assert "made for another database or on another server" in aimed.assert_refused(13, "restored")


def test_14_name_of_the_tests_database_on_the_wrong_server(aimed: Aimed, owned: ConnInfo) -> None:
    """The tests' own database is called `owned`, and one of production is called so too."""
    aimed.assert_refused(14, owned.parameters["dbname"])


@pytest.mark.long
def test_15_template_that_was_swapped(project: Path, production: Production) -> None:
    """A copy of production is given the name that the next run would clone."""
    address = production.server.conninfo("staging").reveal()
    write(project, {"test_suite.py": "def test_db(db):\n    pass"})
    run_tests(project, f"--trueup-server={address}")
    [(name,)] = production.admin.execute(
        "select datname from pg_database where datname like 'trueup_template_%'"
    ).fetchall()
    production.say("alter database {} with is_template false", name)
    production.say("drop database {}", name)
    production.say("create database {} template crm owner app strategy file_copy is_template true", name)
    write(project, {"test_suite.py": USE})
    try:
        ran = run_tests(project, f"--trueup-server={address}")
        assert_refused(ran, name)
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
