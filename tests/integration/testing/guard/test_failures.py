"""What a failed test is told with."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from tests.integration.testing.guard.suites import run_suite
from tests.integration.testing.projects import Ran, write

from trueup.servers import EmbeddedServer
from trueup.servers.wheel import installation

STATEMENTS = """
import asyncio
import threading

import psycopg

from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.settings import DatabaseSettings


def test_fails(dsn):
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("drop table if exists t")
        connection.execute("create table t (n int primary key, name text)")
        with connection.transaction():
            connection.cursor().executemany("insert into t values (%s, %s)", [(1, "s3cret"), (2, "s3cret too")])
        with connection.cursor().copy("copy t from stdin") as copy:
            copy.write_row((3, "s3cret"))
        connection.execute("select * from t where name = 's3cret' or n = 987654").fetchall()
        connection.execute(psycopg.sql.SQL("select {} from t").format(psycopg.sql.Identifier("n")))
        connection.execute("insert into t values (1, $$s3cret$$)")


def test_fails_in_the_runtime(dsn):
    with Database(DatabaseSettings(conninfo=ConnInfo.parse(dsn), service="crm")) as database:
        with database.transaction() as transaction:
            transaction.connection.execute("select 1")
        assert False


def test_fails_in_asyncio(dsn):
    async def work():
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            await connection.execute("select n from t")

    asyncio.run(work())
    assert False


def test_passes(dsn):
    with psycopg.connect(dsn) as connection:
        connection.execute("select 'of the test that passes'")


def test_fails_without_a_statement(dsn):
    assert False


def test_fails_without_a_database():
    assert False


def test_many(dsn):
    with psycopg.connect(dsn) as connection:
        for number in range(100):
            connection.execute(f"select n{number} from (values (1)) as v (n{number})")
    assert False


def test_warned(dsn):
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("begin; begin")
        connection.execute("do $$ begin raise warning 'seen %', 's3cret'; raise notice 'not seen'; end $$")
    assert False


def test_waits(dsn):
    holder = psycopg.connect(dsn)  # opened: holder
    with holder, psycopg.connect(dsn, options="-c lock_timeout=100ms") as connection:
        holder.execute("lock table t")
        connection.execute("select * from t")
"""
FAILING = """
import psycopg
import pytest


@pytest.fixture
def dsn(db):
    return db.dsn


def test_fails_in_the_shop(db):
    with db.transaction() as transaction:
        transaction.connection.execute("insert into clients (name) values ('Ann')")
    kept = psycopg.connect(db.dsn)
    kept.execute("select 1")
    assert False


def test_next(db):
    with db.connection() as connection:
        assert connection.execute("select count(*) from clients").fetchone() == (0,)


def test_fails_on_a_clone(fresh_db):
    with fresh_db.connection() as connection:
        connection.execute("drop table clients")
    assert False


def test_passes(fresh_db):
    pass
"""
SHOP = """
-- migrate:up
create table public.clients (id int generated always as identity primary key, name text);
-- migrate:down
drop table public.clients;
"""
FILES = {"migrations/20260101000000_shop.sql": SHOP, "pyproject.toml": '[tool.trueup]\nschema = "migrations"\n'}


@pytest.fixture
def shop(suite):
    write(suite.pytester.path, FILES)
    return suite


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("failures")


@pytest.fixture(scope="module")
def ran(folder: Path, server18: EmbeddedServer) -> Ran:
    """Return what failed tests were told with in one run, of which nothing is kept."""
    write(folder, FILES)
    return run_suite(folder, server18, {"test_statements": STATEMENTS, "test_then_shop": FAILING})


def test_failed_test_is_told_with_its_database_and_statements(ran: Ran) -> None:
    printed = ran.printed.partition("_ test_fails_in_the_shop _")[0]
    for name in ("test_fails", "test_fails_in_the_runtime", "test_fails_in_asyncio", "test_fails_without_a_statement"):
        section = printed.partition(f"_ {name} _")[2].partition("\n____")[0]
        assert "trueup database" in section
        assert "dbname=owned" in section
    told = printed.partition("_ test_fails _")[2].partition("\n____")[0]
    assert "create table t (n int primary key, name text)" in told
    assert "insert into t values (%s, %s)" in told
    assert "copy t from stdin" in told
    assert "select * from t where name = '…' or n = …" in told
    assert 'select "n" from t' in told
    assert "23505  insert into t values (…, '…')" in told
    assert "BEGIN" in told
    assert "COMMIT" in told
    statements = told.partition("trueup statements")[2]
    assert "s3cret" not in statements
    assert "987654" not in statements
    assert "begin; select pg_current_xact_id()" in printed
    assert "select n from t" in printed
    assert "of the test that passes" not in printed
    assert "trueup" not in ran.texts["test_fails_without_a_database"]
    many = printed.partition("_ test_many _")[2].partition("\n____")[0]
    assert "statements: 102, " in many
    assert "select n99 from" in many
    assert "select n60 from" not in many
    assert_wait_is_told_with_its_blocker(printed.partition("_ test_waits _")[2])
    assert_warning_of_the_server_is_told(printed.partition("_ test_warned _")[2].partition("\n____")[0])


def assert_wait_is_told_with_its_blocker(told: str) -> None:
    assert "55P03  select * from t" in told
    assert "held up by process" in told
    assert '"test_statements.py::test_waits", idle in transaction for' in told
    assert "locks on t (AccessExclusiveLock)" in told
    assert "# opened: holder" in told


def assert_warning_of_the_server_is_told(told: str) -> None:
    notices = told.partition("trueup notices")[2]
    assert "25001  there is already a transaction in progress" in notices
    assert "01000  raised by code in the database" in notices
    assert "not seen" not in notices


def test_changes_of_a_failed_test_are_told_and_nothing_is_kept_without_being_asked(ran: Ran, folder: Path) -> None:
    assert ran.of("test_then_shop")["test_next"] == "passed"
    told = ran.printed.partition("_ test_fails_in_the_shop _")[2].partition("\n____")[0]
    assert "rows changed in public.clients" in told
    assert "sequences moved: public.clients_id_seq" in told
    assert "idle in a transaction" in told
    assert not list(folder.glob(".trueup/**/*"))
    assert "trueup_kept_" not in ran.printed


KEPT = {
    "test_fails_in_the_shop": "failed",
    "test_next": "passed",
    "test_fails_on_a_clone": "failed",
    "test_passes": "passed",
}
SHOWN = STATEMENTS.partition("def test_fails_in_the_runtime")[0].replace("test_fails", "test_shows")


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_database_of_a_failed_test_is_kept_and_dumped_and_values_are_shown_when_asked_for(
    tmp_path: Path, server18: EmbeddedServer, options: tuple[str, ...]
) -> None:
    write(tmp_path, FILES)

    ran = run_suite(
        *(tmp_path, server18, {"test_suite": FAILING, "test_values": SHOWN}),
        *("--trueup-keep", "--trueup-show-values", *options),
    )

    assert ran.of("test_suite") == KEPT
    dumps = sorted(tmp_path.glob(".trueup/kept/*.sql"))
    assert {dump.name[21:] for dump in dumps} == {
        "test_suite_py_test_fails_in_the_shop.sql",
        "test_suite_py_test_fails_on_a_clone.sql",
    }
    assert any("Ann" in dump.read_text() for dump in dumps)
    summary = ran.printed.partition("databases that were kept")[2]
    assert summary.count("psql ") == 2
    assert "dbname=trueup_kept_" in summary
    assert "its dump stays: .trueup/kept/trueup_kept_" in summary
    assert (tmp_path / ".trueup" / ".gitignore").read_text() == "*\n"
    assert "where name = 's3cret' or n = 987654" in ran.printed.partition("trueup statements")[2]


def test_database_on_a_provided_server_stays_until_the_test_fails_again(shop, owned, witness, server18) -> None:
    kept = "select datname from pg_database where datname like 'trueup_kept_%' order by 1"

    for _ in range(2):
        outcome = shop.run(FAILING, "--trueup-keep", f"--trueup-server={owned.reveal()}")

        assert outcome.results["test_fails_in_the_shop"] == "failed", outcome.printed
        assert len(witness(kept)) == 2
        assert not (shop.pytester.path / ".trueup").exists()
    [(name,), _] = witness(kept)
    with psycopg.connect(owned.with_parameters(dbname=name).reveal()) as look:
        found = look.execute("select to_regclass('clients')").fetchone()
    for (each,) in witness(kept):
        server18.drop_database(each)
    assert found is not None


def test_run_waits_on_a_terminal_before_its_server_ends(shop) -> None:
    shop.pytester.makeconftest("")
    shop.pytester.makepyfile(test_suite=FAILING)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pytest", "--trueup-keep", "-p", "no:randomly", "-k", "test_fails_on_a_clone"]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=shop.pytester.path)
    os.close(theirs)

    printed = read_until(ours, "press Enter")
    [address] = re.findall(r"^psql '(.*)'", printed.partition("databases that were kept")[2], re.MULTILINE)
    while_it_waits = look(address)
    os.write(ours, b"\n")
    status = process.wait(30)
    os.close(ours)

    assert (while_it_waits.returncode, while_it_waits.stdout) == (0, "f\n")
    assert status == 1
    assert look(address).returncode == 2


def look(address: str) -> subprocess.CompletedProcess[str]:
    """Ask a database whether it has the table, as who reads the printed line would."""
    words = [installation(18).program("psql"), address, "-XAtc", "select to_regclass('clients') is not null"]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def read_until(terminal: int, words: str) -> str:
    printed = ""
    while words not in printed:
        try:
            printed += os.read(terminal, 4096).decode(errors="replace").replace("\r\n", "\n")
        except OSError:  # The other end was closed.
            pytest.fail(printed)
    return printed
