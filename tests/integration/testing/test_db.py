"""`db` and `fresh_db`: databases of a test's own, where commits are real."""

import subprocess
import sys
import threading

import psycopg
import pytest

from trueup.db import Connection, connect
from trueup.testing.lending.loans import TestDatabase

pytestmark = pytest.mark.trueup(template="tests/integration/testing/sample")

ADD = "insert into clients (phone) values ('second')"


def count(connection: Connection) -> int:
    row = connection.execute("select count(*) from clients").fetchone()
    assert row
    return int(row[0])


def test_observer_sees_a_commit_and_nothing_before(db: TestDatabase, observer: Connection) -> None:
    with db.transaction() as transaction:
        transaction.execute(ADD)
        assert count(observer) == 1

    assert count(observer) == 2


def test_observer_can_change_nothing(db: TestDatabase, observer: Connection) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        observer.execute(ADD)


def test_threads_reach_it(db: TestDatabase, observer: Connection) -> None:
    def work() -> None:
        with db.transaction() as transaction:
            transaction.execute(ADD)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert count(observer) == 2


def test_dsn_leads_a_subprocess_to_the_same_database(db: TestDatabase, dsn: str, observer: Connection) -> None:
    program = "import sys, psycopg\nwith psycopg.connect(sys.argv[1]) as connection: connection.execute(sys.argv[2])"
    subprocess.run([sys.executable, "-c", program, dsn, ADD], check=True)

    assert count(observer) == 2
    assert dsn == db.dsn


def test_dsn_alone_is_a_database_of_the_tests_own(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(ADD)

    with psycopg.connect(dsn) as connection:
        assert count(connection) == 2


def test_conn_beside_db_is_in_the_same_database(db: TestDatabase, conn: Connection, observer: Connection) -> None:
    with db.transaction() as transaction:
        transaction.execute(ADD)
    conn.execute("delete from clients")

    assert count(conn) == 0
    assert count(observer) == 2


def test_fresh_db_is_another_database_for_each_test(
    request: pytest.FixtureRequest, fresh_db: TestDatabase, observer: Connection
) -> None:
    with fresh_db.connection() as connection:
        connection.execute("drop table bookings, clients")

    assert observer.execute("select to_regclass('clients')").fetchone() == (None,)


def test_a_closed_database_says_so_and_the_next_test_has_another(db: TestDatabase) -> None:
    db.close()

    assert "closed" in repr(db)


@pytest.mark.trueup(template="tests/integration/testing/sample", timezone="Europe/Berlin")
def test_time_zone_is_that_of_every_session(db: TestDatabase, dsn: str, conn: Connection) -> None:
    other = connect(db.conninfo)
    try:
        for connection in (conn, other):
            assert connection.execute("show timezone").fetchone() == ("Europe/Berlin",)
    finally:
        other.close()


@pytest.mark.trueup(template="tests/integration/testing/sample", seed="tests/integration/testing/seed.sql")
def test_seed_runs_after_the_migrations(conn: Connection) -> None:
    assert count(conn) == 3


def test_names_tell_that_it_belongs_to_a_run(db: TestDatabase) -> None:
    assert db.conninfo.parameters["dbname"].startswith("trueup_run_")


def test_planner_knows_the_tables(conn: Connection) -> None:
    assert conn.execute("select reltuples from pg_class where relname = 'clients'").fetchone() == (1.0,)
