"""The harness beside other plugins and the fixtures of a project: retries, last failed, failing tests."""

import pytest

TESTS = """
    import pathlib
    import pytest

    def add(connection, phone="x"):
        connection.execute("insert into clients (phone) values (%s)", [phone])

    def count(connection):
        return connection.execute("select count(*) from clients").fetchone()[0]
"""


def test_retried_test_begins_anew(project: pytest.Pytester) -> None:
    pytest.importorskip("pytest_rerunfailures")
    project.makepyfile(
        TESTS
        + """
    TRIES = {"conn": 0, "db": 0, "fresh_db": 0}

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
    )

    result = project.runpytest_subprocess("--reruns=2")

    assert result.parseoutcomes() == {"passed": 3, "rerun": 6}


def test_last_test_is_retried_with_databases_of_its_own(project: pytest.Pytester) -> None:
    """Fixtures of the session have ended by then, and are made once more in the same process."""
    pytest.importorskip("pytest_rerunfailures")
    project.makepyfile(
        TESTS
        + """
    import psycopg

    KEPT = []

    def test_leaks(dsn, conn):
        KEPT.append(psycopg.connect(dsn))
    """
    )

    result = project.runpytest_subprocess("--reruns=1", "-p", "no:randomly")

    assert result.parseoutcomes() == {"passed": 2, "rerun": 1, "errors": 1}
    result.stdout.fnmatch_lines(["*a connection is still open*"])


def test_last_failed_runs_alone(project: pytest.Pytester) -> None:
    project.makepyfile(
        TESTS
        + """
    def test_passes(db): ...

    def test_fails(db):
        with db.transaction() as transaction:
            add(transaction)
            assert count(transaction) == 3
    """
    )
    project.runpytest_subprocess().assert_outcomes(passed=1, failed=1)

    result = project.runpytest_subprocess("--lf")

    result.assert_outcomes(failed=1)


def test_failing_test_does_not_hurt_the_next(project: pytest.Pytester) -> None:
    """W-T13: a failed test holds its connections in its traceback; nobody else depends on that."""
    project.makepyfile(
        TESTS
        + """
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
    )

    result = project.runpytest_subprocess("-x", "--maxfail=10", timeout=60)

    result.assert_outcomes(passed=3, failed=3)


def test_usage_by_fixtures_of_the_project(project: pytest.Pytester) -> None:
    """W-T12: importing and configuring the application opens nothing; its own fixtures build on ours."""
    project.makepyfile(
        TESTS
        + """
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
    )

    project.runpytest_subprocess().assert_outcomes(passed=2)


def test_project_may_have_fixtures_of_our_names(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
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
    )

    project.runpytest_subprocess().assert_outcomes(passed=1)
