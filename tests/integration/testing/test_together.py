"""The harness beside other plugins and the fixtures of a project: retries, last failed, failing tests."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.integration.testing.projects import Ran, run_tests, write

HEAD = """
import pathlib
import pytest

def add(connection, phone="x"):
    connection.execute("insert into clients (phone) values (%s)", [phone])

def count(connection):
    return connection.execute("select count(*) from clients").fetchone()[0]
"""
RETRIED = """
TRIES = {"conn": 0, "db": 0, "fresh_db": 0}

@pytest.mark.flaky(reruns=2)
@pytest.mark.parametrize("fixture", TRIES)
def test_fails_twice(request, fixture):
    value = request.getfixturevalue(fixture)
    TRIES[fixture] += 1
    if fixture == "conn":
        add(value)
        assert count(value) == 2
    else:
        with value.transaction() as transaction:
            add(transaction)
            assert count(transaction) == 2
    assert TRIES[fixture] == 3
"""
FAILING = """
def test_fails_with_locks_held(db):
    checkout = db.transaction()
    transaction = checkout.__enter__()
    transaction.execute("lock table clients in access exclusive mode")
    add(transaction)
    raise RuntimeError

def test_fails_in_conn(conn):
    conn.execute("lock table clients in access exclusive mode")
    raise RuntimeError

def test_fails_in_fresh_db(fresh_db):
    with fresh_db.transaction() as transaction:
        add(transaction)
        raise RuntimeError

@pytest.mark.parametrize("run", range(3))
def test_next(db, conn, fresh_db, run):
    assert count(conn) == 1
    with db.transaction() as transaction, fresh_db.transaction() as other:
        add(transaction)
        add(other)
"""
USING = """
@pytest.fixture
def app(db):
    with db.transaction() as transaction:
        add(transaction)
    return db

@pytest.fixture(autouse=True)
def always(conn):
    yield
    assert conn.execute("select 1").fetchone() == (1,)

def test_app(app, conn, observer):
    assert count(conn) == count(observer) == 2

@pytest.mark.usefixtures("app")
class TestClass:
    def test_one(self, conn):
        assert count(conn) == 2
"""
NAMES = """
import pytest

@pytest.fixture
def conn():
    return "mine"

@pytest.fixture
def db():
    return "mine too"

def test_mine(conn, db):
    assert (conn, db) == ("mine", "mine too")
"""
ONE_FAILS = """
def test_passes(db): ...

def test_fails(db):
    with db.transaction() as transaction:
        add(transaction)
        assert count(transaction) == 3
"""
THE_LAST = """
import psycopg

KEPT = []

@pytest.mark.flaky(reruns=1)
def test_leaks(dsn, conn):
    KEPT.append(psycopg.connect(dsn))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sample_files: Mapping[str, str]) -> Path:
    """Return a project's folder; the module that is to run last sorts last."""
    pytest.importorskip("pytest_rerunfailures")
    folder = tmp_path_factory.mktemp("together")
    modules = {
        "retried": RETRIED,
        "failing": FAILING,
        "using": USING,
        "names": NAMES,
        "fails": ONE_FAILS,
        "z": THE_LAST,
    }
    write(folder, {**sample_files, **{f"test_{name}.py": HEAD + text for name, text in modules.items()}})
    return folder


@pytest.fixture(scope="module")
def ran(folder: Path) -> Ran:
    """Return what became of all these tests in one run."""
    return run_tests(folder, "-rR")


def test_retried_test_begins_anew(ran: Ran) -> None:
    assert ran.has_passed("test_retried", 3), ran.printed
    assert ran.printed.count("RERUN test_retried.py::test_fails_twice") == 6


def test_last_test_is_retried_with_databases_of_its_own(ran: Ran) -> None:
    """Fixtures of the session have ended by then, and are made once more in the same process."""
    assert ran.of("test_z") == {"test_leaks": "error"}
    assert ran.printed.count("RERUN test_z.py::test_leaks") == 1
    assert "test_z.py::test_leaks left behind:\n- a connection is still open" in ran.printed


def test_last_failed_runs_alone(ran: Ran, folder: Path) -> None:
    assert ran.of("test_fails") == {"test_passes": "passed", "test_fails": "failed"}

    again = run_tests(folder, "--lf", "test_fails.py")

    assert again.results == {"test_fails": {"test_fails": "failed"}}
    assert "assert 2 == 3" in again.texts["test_fails"]


def test_failing_test_does_not_hurt_the_next(ran: Ran) -> None:
    """W-T13: a failed test holds its connections in its traceback; nobody else depends on that."""
    assert ran.of("test_failing") == {
        "test_fails_with_locks_held": "failed",
        "test_fails_in_conn": "failed",
        "test_fails_in_fresh_db": "failed",
        **{f"test_next[{number}]": "passed" for number in range(3)},
    }, ran.printed


def test_usage_by_fixtures_of_the_project(ran: Ran) -> None:
    """W-T12: importing and configuring the application opens nothing; its own fixtures build on ours."""
    assert ran.has_passed("test_using", 2), ran.printed


def test_project_may_have_fixtures_of_our_names(ran: Ran) -> None:
    assert ran.has_passed("test_names", 1), ran.printed
