"""What one test does to its database is never seen by the next one, in a project of its own."""

import re
from collections.abc import Mapping
from textwrap import dedent

import pytest
from tests.integration.testing.projects import Ran, run_tests, write

COUNT = """
    def count(connection):
        return connection.execute("select count(*) from clients").fetchone()[0]

    def add(connection, phone="second"):
        connection.execute("insert into clients (phone) values (%s)", [phone])
"""


CONN = f"""{COUNT}
    def test_adds(conn):
        add(conn)

    def test_finds_nothing_of_it(conn):
        assert count(conn) == 1

    def test_defers_a_mistake(conn):
        conn.execute("insert into bookings (client_id, starts_at) values (4711, now())")

    def test_is_not_hurt_by_that(conn):
        assert count(conn) == 1
"""
PAST_THE_DRIVER = f"""{COUNT}
    import psycopg

    LEFT = []

    def test_commits(conn):
        add(conn)
        psycopg.ClientCursor(conn).execute("commit")

    def test_commits_and_begins_again(conn):
        add(conn)
        psycopg.ClientCursor(conn).execute("commit; begin")

    def test_leaves_a_copy_open(conn):
        LEFT.append(conn.cursor().copy("copy clients to stdout"))
        LEFT[0].__enter__()

    def test_is_not_hurt_by_that(conn):
        assert count(conn) == 1
"""
DB = f"""{COUNT}
    import pytest

    @pytest.mark.parametrize("number", range(4))
    def test_changes_rows_and_sequences(db, number):
        with db.transaction() as transaction:
            assert transaction.execute("select id, phone, notes from clients").fetchall() == [(1, "first", None)]
            assert transaction.execute("insert into clients (phone) values ('x') returning id").fetchone() == (2,)
            transaction.execute("update clients set notes = 'changed'")

    def test_changes_the_schema(db):
        with db.connection() as connection:
            connection.execute("drop table bookings")

    def test_has_the_one_that_was_made_ahead_instead(db):
        with db.connection() as connection:
            [name] = connection.execute("select current_database()").fetchone()
        assert "ahead" in name

    def test_closes_it(db):
        db.close()

    def test_is_not_hurt_by_that(db):
        with db.connection() as connection:
            assert connection.execute("select count(*) from bookings").fetchone() == (0,)
"""
THREAD_THAT_IS_JUST_ENDING = """
    import threading

    def test_waits_for_no_thread(db):
        has_it = threading.Event()

        def work():
            with db.connection():
                has_it.set()
                threading.Event().wait(0.05)

        threading.Thread(target=work).start()
        assert has_it.wait(10)
"""
IN_A_SCOPE = """
import pytest

@pytest.fixture(scope="module")
def three(module_db):
    with module_db.transaction() as transaction:
        add(transaction, "second")
        add(transaction, "third")

def test_sees_what_the_module_made(three, module_db, db, conn, observer):
    assert db is module_db
    assert count(observer) == count(conn) == 3
    with db.transaction() as transaction:
        add(transaction, "fourth")
    add(conn, "fifth")

def test_finds_the_module_as_it_was(three, db, observer):
    assert count(observer) == 3

def test_rolls_back_in_it(three, conn):
    assert count(conn) == 3
    add(conn, "fourth")

def test_is_not_hurt_by_that(three, conn):
    assert count(conn) == 3

class TestClass:
    @pytest.mark.parametrize("number", [1, 2])
    def test_adds_up(self, class_db, observer, number):
        assert count(observer) == number
        with class_db.transaction() as transaction:
            add(transaction, str(number))

class TestOther:
    def test_begins_anew(self, class_db, observer):
        assert count(observer) == 1

def test_session(session_db):
    with session_db.transaction() as transaction:
        add(transaction)
"""
IN_ANOTHER = """
def test_begins_anew(module_db, observer):
    assert count(observer) == 1

def test_session(session_db, observer):
    assert count(observer) == 2
"""
MARKS = """
import pytest

@pytest.mark.trueup(sed="typo.sql")
def test_misspells(conn): ...

@pytest.mark.trueup("positional")
def test_positional(conn): ...

@pytest.mark.trueup(seed="nowhere.sql")
def test_names_nothing(db): ...

@pytest.mark.trueup(template="nowhere")
def test_names_no_folder(fresh_db): ...

@pytest.mark.trueup(timezone="Europe/Atlantis")
def test_names_no_zone(db): ...

@pytest.mark.trueup(timezone="Europe/Berlin")
def test_wants_another_kind(module_db, db): ...

def test_is_right(conn): ...
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, sample_files: Mapping[str, str]) -> Ran:
    """Return what became of all these tests in one run."""
    folder = tmp_path_factory.mktemp("neighbours")
    scopes = {"test_one.py": dedent(COUNT) + IN_A_SCOPE, "test_two.py": dedent(COUNT) + IN_ANOTHER}
    others = {"conn": CONN, "past_the_driver": PAST_THE_DRIVER, "db": DB, "thread": THREAD_THAT_IS_JUST_ENDING}
    tests = {**others, "marks": MARKS}
    write(folder, {**sample_files, **scopes, **{f"test_{name}.py": text for name, text in tests.items()}})
    return run_tests(folder)


def test_no_test_is_hurt_by_another_one(ran: Ran) -> None:
    """`conn` is rolled back and checked, a commit past the driver fails its test alone, `db` is in its first state."""
    assert ran.of("test_conn") == {
        "test_adds": "passed",
        "test_finds_nothing_of_it": "passed",
        "test_defers_a_mistake": "failed",
        "test_is_not_hurt_by_that": "passed",
    }, ran.printed
    assert ran.of("test_past_the_driver") == {
        "test_commits": "failed",
        "test_commits_and_begins_again": "failed",
        "test_leaves_a_copy_open": "failed",
        "test_is_not_hurt_by_that": "passed",
    }, ran.printed
    assert ran.has_passed("test_db", 8), ran.printed
    assert ran.has_passed("test_thread", 1), ran.printed


def test_failure_tells_what_the_test_did_and_no_value(ran: Ran) -> None:
    told = ran.texts["test_defers_a_mistake"]
    assert "a commit at the end of the test would have failed: ForeignKeyMissing" in told
    assert "bookings_client_id_fkey" in told
    assert "the test ended the transaction of `conn`" in ran.texts["test_commits"]
    assert "ask for `db`" in ran.texts["test_commits"]
    assert "the test left `conn` in the middle of a statement" in ran.texts["test_leaves_a_copy_open"]
    assert not re.search("4711.*not present", ran.printed)
    assert "During handling" not in ran.printed


def test_database_is_made_ahead_where_a_later_test_asks_for_it(project: pytest.Pytester) -> None:
    project.makepyfile("""
    def test_needs_another_one(conn):
        pass

    def test_has_one_that_was_made_meanwhile(db):
        with db.connection() as connection:
            [name] = connection.execute("select current_database()").fetchone()
        assert "ahead" in name
    """)

    result = project.runpytest_subprocess("-p", "no:randomly")

    result.assert_outcomes(passed=2)


def test_shared_databases_last_as_long_as_their_scope(ran: Ran) -> None:
    assert ran.has_passed("test_one", 8), ran.printed
    assert ran.has_passed("test_two", 2), ran.printed


TOLD_OF_MARKS = {
    "misspells": r"test_misspells: pytest.mark.trueup: .*unexpected keyword argument 'sed'; it takes seed=.*, by name",
    "positional": r"test_positional: pytest.mark.trueup: .*takes 0 positional arguments",
    "names_nothing": r"cannot read the seed .*nowhere.sql",
    "names_no_folder": r"cannot read migrations from .*nowhere",
    "names_no_zone": r"PostgreSQL knows no time zone 'Europe/Atlantis'",
    "wants_another_kind": r"`db` is the database of `module_db` here",
}


def test_marks_are_checked(ran: Ran) -> None:
    expected = {f"test_{name}": "error" for name in TOLD_OF_MARKS}
    assert ran.of("test_marks") == {**expected, "test_is_right": "passed"}, ran.printed
    for name, told in TOLD_OF_MARKS.items():
        assert re.search(told, ran.texts[f"test_{name}"]), name


def test_broken_migration_is_shown_with_file_line_and_statement(project: pytest.Pytester) -> None:
    (project.path / "migrations" / "003_broken.sql").write_text(
        "-- migrate:up\ncreate table fine ();\ncreate table broken (\n    id bigin\n);\n", encoding="utf-8"
    )
    project.makepyfile(
        """
    def test_one(conn): ...
    def test_two(db): ...
    def test_three(): ...
    """
    )

    result = project.runpytest_subprocess()

    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(['*003_broken.sql:4: type "bigin" does not exist*', "*4 |     id bigin", "*^"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_empty_database_where_no_schema_is_declared(project: pytest.Pytester) -> None:
    project.makepyprojecttoml("[tool.pytest.ini_options]\nfilterwarnings = ['error']")
    project.makepyfile(
        """
    def test_one(conn):
        assert conn.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone() == (0,)
    """
    )

    project.runpytest_subprocess().assert_outcomes(passed=1)
