"""`conn`: one transaction that ends with the test, and that nothing can commit."""

from dataclasses import dataclass

import psycopg
import pytest

from trueup.db import Connection
from trueup.errors import Duplicate, UsageError
from trueup.tables import UNSET, Repository, Table
from trueup.testing.lending.kept import KeptConnection

pytestmark = pytest.mark.trueup(template="tests/integration/testing/sample")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    id: int = UNSET
    phone: str
    notes: str | None = None


CLIENTS = Table("public.clients", Client, primary_key=("id",), conflict_key=("phone",), generated=("id",))


def count(connection: Connection) -> int:
    row = connection.execute("select count(*) from clients").fetchone()
    assert row
    return int(row[0])


def add(connection: Connection, phone: str = "second") -> None:
    connection.execute("insert into clients (phone) values (%s)", [phone])


def test_it_holds_what_the_migrations_built(conn: KeptConnection) -> None:
    assert count(conn) == 1


def test_observer_sees_nothing_of_it(conn: KeptConnection, observer: Connection) -> None:
    add(conn)

    assert count(conn) == 2
    assert count(observer) == 1


@pytest.mark.parametrize(
    "text",
    [
        "commit",
        "  COMMIT  ;",
        "commit and chain",
        "end",
        "/* done */ commit work",
        "select 1; commit",
        "prepare transaction 'a'",
        psycopg.sql.SQL("commit"),
        b"commit",
    ],
    ids=str,
)
def test_sql_that_commits_is_refused_and_not_sent(conn: KeptConnection, observer: Connection, text: str) -> None:
    add(conn)

    with pytest.raises(UsageError, match="ask for `db`"):
        conn.execute(text)

    assert count(observer) == 1
    assert count(conn) == 2


@pytest.mark.parametrize("text", ["select 'commit'", "select 1 as commit", "-- commit\nselect 1", "select $$commit$$"])
def test_sql_that_only_speaks_of_it_is_sent(conn: KeptConnection, text: str) -> None:
    assert conn.execute(text).fetchone()


def test_commit_by_method_is_refused(conn: KeptConnection) -> None:
    with pytest.raises(UsageError, match="ask for `db`"):
        conn.commit()


def test_leaving_its_block_is_no_commit(conn: KeptConnection, observer: Connection) -> None:
    with pytest.raises(UsageError, match="ask for `db`"), conn:
        add(conn)

    assert count(observer) == 1


def test_rollback_goes_back_to_the_start_and_on_in_a_new_transaction(
    conn: KeptConnection, observer: Connection
) -> None:
    add(conn)
    conn.rollback()
    add(conn, "third")

    assert count(conn) == 2
    assert count(observer) == 1


def test_rollback_in_sql_goes_on_in_a_new_transaction(conn: KeptConnection, observer: Connection) -> None:
    add(conn)
    conn.execute("rollback")
    add(conn, "third")

    assert count(conn) == 2
    assert count(observer) == 1


def test_transaction_is_a_savepoint(conn: KeptConnection) -> None:
    add(conn)
    with pytest.raises(psycopg.errors.UniqueViolation), conn.transaction():
        add(conn)

    assert count(conn) == 2


def test_caught_error_needs_no_savepoint_at_the_end(conn: KeptConnection) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        add(conn, "first")


def test_autocommit_cannot_be_turned_on(conn: KeptConnection) -> None:
    with pytest.raises(psycopg.ProgrammingError, match="autocommit"):
        conn.autocommit = True


def test_repository_works_on_it(conn: KeptConnection, observer: Connection) -> None:
    clients = Repository(conn, CLIENTS)

    clients.upsert(Client(phone="second"))

    assert clients.count() == 2
    assert count(observer) == 1


def test_errors_of_a_repository_have_their_names(conn: KeptConnection) -> None:
    clients = Repository(conn, CLIENTS)

    with pytest.raises(Duplicate), conn.transaction():
        clients.insert(Client(phone="first"))

    assert clients.count() == 1


def test_repository_goes_on_in_a_transaction_after_a_rollback(conn: KeptConnection, observer: Connection) -> None:
    clients = Repository(conn, CLIENTS)
    conn.rollback()
    psycopg.ClientCursor(conn).execute("rollback")

    clients.upsert(Client(phone="second"))

    assert count(observer) == 1


def test_advisory_locks_do_not_stay(conn: KeptConnection, observer: Connection) -> None:
    conn.execute("select pg_advisory_lock(1), pg_advisory_lock(2), pg_advisory_xact_lock(3)")

    found = conn.end()

    assert found == 2
    assert observer.execute("select pg_try_advisory_lock(1)").fetchone() == (True,)
    observer.execute("select pg_advisory_unlock_all()")
    conn.begin()


def test_choices_of_a_test_end_with_it(conn: KeptConnection) -> None:
    conn.row_factory = psycopg.rows.dict_row
    conn.cursor_factory = psycopg.ClientCursor
    conn.adapters.register_loader("int8", psycopg.types.string.TextLoader)
    conn.add_notice_handler(print)
    conn.prepare_threshold = 0

    conn.end()
    conn.begin()

    assert conn.execute("select 1::int8").fetchone() == (1,)
    with pytest.raises(UsageError):
        conn.execute("commit")
    assert conn.prepare_threshold == 5
    assert vars(conn)["_notice_handlers"] == []


@pytest.mark.parametrize("run", [1, 2])
def test_closing_it_hurts_nobody(conn: KeptConnection, run: int) -> None:
    assert count(conn) == 1

    conn.close()


def test_connection_that_the_server_ended_hurts_nobody(conn: KeptConnection) -> None:
    with pytest.raises(psycopg.errors.AdminShutdown):
        conn.execute("select pg_terminate_backend(pg_backend_pid())")


def test_blocks_are_savepoints_however_deep_and_however_named(conn: KeptConnection) -> None:
    for depth in range(12):
        name = f'na"me {depth}' if depth % 3 == 2 else None
        with conn.transaction(name) as outer, conn.transaction():
            conn.execute("create table made (n int)")
            with conn.transaction(force_rollback=True):
                conn.execute("drop table made")
            conn.execute("insert into made values (1)")
            raise psycopg.Rollback(outer)
        with pytest.raises(psycopg.errors.UndefinedTable), conn.transaction():
            conn.execute("select from made")


def test_blocks_nest_deeper_than_their_commands_are_known(conn: KeptConnection) -> None:
    def nest(depth: int) -> None:
        with conn.transaction():
            add(conn, f"phone {depth}")
            if depth:
                nest(depth - 1)

    with conn.transaction(force_rollback=True):
        nest(12)
        assert count(conn) == 14

    assert count(conn) == 1


class TestWhatIsPrepared:
    """A plan that is kept from test to test must not be met by another structure."""

    @pytest.fixture(autouse=True)
    def prepared(self, conn: KeptConnection) -> None:
        conn.prepare_threshold = 0
        assert conn.execute("select * from clients").fetchone() is not None
        conn.prepare_threshold = 5

    def test_rows_leave_it_alone(self, conn: KeptConnection) -> None:
        add(conn)

        conn.end()

        assert conn.is_lasting
        conn.begin()

    @pytest.mark.parametrize(
        "text",
        [
            "alter table clients add column more int",
            "do $$ begin alter table clients add column more int; end $$",
            "create temporary table clients (other int)",
            "savepoint s; alter table clients add column more int; rollback to s",
            "create function more(out a int, out b int) language sql return row(1, 2)",
            "set local search_path = nowhere",
            "select pg_catalog.set_config('search_path', 'nowhere', true)",
        ],
    )
    def test_other_structure_ends_the_connection(self, conn: KeptConnection, text: str) -> None:
        conn.execute(text)

        conn.end()

        assert not conn.is_lasting
        conn.begin()

    def test_statements_that_nobody_saw_end_the_connection(self, conn: KeptConnection) -> None:
        conn.cursor_factory = psycopg.ClientCursor

        conn.end()

        assert not conn.is_lasting
        conn.begin()


@pytest.mark.parametrize("columns", [2, 3])
def test_next_test_meets_no_plan_of_the_structure_before(conn: KeptConnection, columns: int) -> None:
    conn.prepare_threshold = 0
    names = ", ".join(f"column_{number} int" for number in range(columns))
    conn.execute(f"create table wide ({names})")

    found = conn.execute("select * from wide")

    assert found.description is not None
    assert len(found.description) == columns


def test_server_that_is_gone_shows_at_the_next_statement(conn: KeptConnection, observer: Connection) -> None:
    pid = conn.info.backend_pid
    observer.execute("select pg_terminate_backend(%s, 1000)", [pid])

    with pytest.raises(psycopg.OperationalError):
        conn.execute("select 1")
