"""The faults as a project's tests ask for them."""

from pathlib import Path

import pytest

from trueup.servers import EmbeddedServer

MIGRATION = """
-- migrate:up
create table clients (id int primary key, seen timestamptz default now());
create table bookings (id int primary key, client_id int references clients);
-- migrate:down
drop table bookings; drop table clients;
"""
HEAD = """
from datetime import timedelta

import psycopg
import pytest
from psycopg import errors
from trueup.errors import LockTimeout, PoolTimeout

INSERT = "insert into clients values (1)"
COUNT = "select count(*) from clients"

"""
HAPPENING = """
def test_proxy_leads_to_the_database_of_the_test(proxy, observer):
    proxy.on(b"COMMIT", "cut after")
    with pytest.raises(psycopg.OperationalError), psycopg.connect(proxy.conninfo.reveal()) as connection:
        connection.execute(INSERT)
    assert observer.execute(COUNT).fetchone() == (1,)

def test_terminate(db, terminate):
    with psycopg.connect(db.dsn) as connection:
        terminate(connection)
        with pytest.raises(errors.AdminShutdown):
            connection.execute("select 1")

def test_hold_lock_in_a_block_and_until_the_end(db, hold_lock):
    with pytest.raises(LockTimeout), hold_lock("clients"), db.transaction(lock_timeout_s=0.01) as tx:
        tx.execute(COUNT)
    with db.connection() as connection:
        connection.execute(COUNT)
    hold_lock("clients", mode="share")
    with pytest.raises(LockTimeout), db.transaction(lock_timeout_s=0.01) as tx:
        tx.execute(INSERT)

def test_nothing_is_locked_any_more(db):
    with db.transaction(lock_timeout_s=0.01) as tx:
        tx.execute("lock table clients")

def test_deadlock(db, deadlock):
    tries = []
    def work(tx):
        tries.append(1)
        tx.execute(INSERT)
        tx.execute("insert into bookings values (1)")
    deadlock(holds="bookings", wants="clients")
    db.run(work)
    assert len(tries) == 2

def test_full_pool(db, full_pool):
    full_pool(db)
    assert db.statistics().usage == 1

def test_pool_is_free_again(db):
    assert db.statistics().in_use == 0

def test_disk_full(disk_full):
    disk_full.fill()
    with psycopg.connect(disk_full.conninfo.reveal()) as connection, pytest.raises(errors.DiskFull):
        connection.execute("insert into clients select n from generate_series(1, 1000) n")

def test_clock(db, clock):
    with db.connection() as connection:
        connection.execute(INSERT)
    clock.advance(timedelta(days=31))
    with db.connection() as connection:
        assert connection.execute(COUNT + " where seen < now() - interval '30 days'").fetchone() == (1,)

def test_server(server, restart, pause):
    conninfo = server.clone()
    pause(server)
    with pytest.raises(errors.ConnectionTimeout):
        psycopg.connect(conninfo.reveal(), connect_timeout=2)

def test_restart(server, restart):
    with psycopg.connect(server.clone().reveal()) as connection:
        restart(server, "immediate")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
"""
NOT_HAPPENING = """
def test_no_commit(proxy):
    proxy.on(b"COMMIT", "cut after")

def test_no_deadlock(deadlock):
    deadlock(holds="bookings", wants="clients")

def test_foreign_database():
    from trueup.conninfo import ConnInfo
    from trueup.testing.faults import hold_lock
    with hold_lock(ConnInfo.parse({foreign!r}), "clients"):
        pass

def test_no_small_disk(monkeypatch, request):
    from trueup.testing.faults import disk
    monkeypatch.setattr(disk, "PROGRAM", "json.tool")
    request.getfixturevalue("disk_full")
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    folder = pytester.mkdir("migrations")
    (folder / "001_start.sql").write_text(MIGRATION.lstrip(), encoding="utf-8")
    pytester.makeini("[pytest]\ntrueup_schema = migrations\n")
    return pytester


def run(project: pytest.Pytester, source: str) -> pytest.RunResult:
    project.makepyfile(test_faults=HEAD + source)
    return project.runpytest_subprocess("-p", "no:randomly", "-p", "no:cacheprovider", "-rs", timeout=60)


def test_each_fault_is_a_fixture_and_ends_with_its_test(project: pytest.Pytester) -> None:
    found = run(project, HAPPENING)

    outcomes = found.parseoutcomes()
    assert outcomes["passed"] + outcomes.get("skipped", 0) == 11, found.stdout.str()
    assert outcomes.keys() <= {"passed", "skipped"}


def test_fault_that_did_not_happen_fails_its_test(project: pytest.Pytester, cache_folder: Path) -> None:
    with EmbeddedServer(18, cache_folder=cache_folder) as foreign:
        found = run(project, NOT_HAPPENING.format(foreign=foreign.conninfo().reveal()))

    found.assert_outcomes(passed=2, failed=1, errors=2, skipped=1)
    found.stdout.fnmatch_lines(
        [
            "*no client sent b'COMMIT', so the fault never happened*",
            "*there was no deadlock: nobody in the block waited*",
            '*Refused: tests don\'t own the database "postgres"*',
        ],
        consecutive=False,
    )
    found.stdout.fnmatch_lines(["SKIPPED*the server on the small disk ended*"])
