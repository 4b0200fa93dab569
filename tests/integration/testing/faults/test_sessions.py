"""What other sessions do, as the connection that suffers it and an observer see it."""

import threading
from time import monotonic
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import AdminShutdown, DeadlockDetected, LockNotAvailable

from trueup.conninfo import ConnInfo
from trueup.db import Connection, Database, connect
from trueup.errors import PermissionMissing, Unverifiable, UsageError
from trueup.servers import EmbeddedServer
from trueup.settings import DatabaseSettings
from trueup.testing.faults import Proxy, deadlock, hold_lock, pause, sessions, terminate

LOCKS = "select mode from pg_locks where relation = 'clients'::regclass"


@pytest.fixture
def connection(database: ConnInfo) -> Any:
    connection = connect(database)
    connection.execute("create table clients (id int primary key, note text)")
    connection.execute("create table bookings (id int primary key)")
    connection.execute("insert into clients values (1), (2); insert into bookings values (1)")
    yield connection
    connection.close()


def test_terminated_connection_is_gone_when_terminate_returns(database: ConnInfo, connection: Connection) -> None:
    with connect(database) as victim:
        pid = victim.info.backend_pid
        terminate(victim)

        gone = connection.execute("select count(*) from pg_stat_activity where pid = %s", [pid]).fetchone()
        with pytest.raises(AdminShutdown):
            victim.execute("select 1")
    assert gone == (0,)


def test_connection_over_a_dark_wire_is_terminated_over_another_way(database: ConnInfo) -> None:
    with Proxy(database) as proxy, connect(proxy.conninfo) as victim:
        proxy.darken()

        terminate(victim, server=database)

        proxy.light()
        with pytest.raises(psycopg.OperationalError):
            victim.execute("select 1")


def test_process_that_does_not_end_is_told(
    server: EmbeddedServer, database: ConnInfo, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test must not go on as if the fault had happened."""
    monkeypatch.setattr(sessions, "PATIENCE_S", 0.1)
    with (
        connect(database) as stuck,
        pause(server, stuck),
        pytest.raises(Unverifiable, match="was not ended"),
    ):
        terminate(stuck, server=database)


def test_password_goes_along_to_end_a_connection() -> None:
    class Info:
        password = "s3cret"

        def get_parameters(self) -> dict[str, str]:
            return {"host": "127.0.0.1"}

    class WithPassword:
        info = Info()

    found = sessions.conninfo_of(WithPassword())  # type: ignore[arg-type]

    assert found.secrets["password"].reveal() == "s3cret"
    assert "s3cret" not in repr(found)


def test_lock_lasts_as_long_as_its_block(database: ConnInfo, connection: Connection) -> None:
    connection.execute("set lock_timeout = '50ms'")

    with hold_lock(database, "public.clients"):
        with pytest.raises(LockNotAvailable):
            connection.execute("select * from clients")
        assert connection.execute("select * from bookings").fetchall() == [(1,)]

    assert connection.execute(LOCKS).fetchall() == []


def test_lock_has_the_mode_that_was_asked_for(database: ConnInfo, connection: Connection) -> None:
    with hold_lock(database, "clients", mode="row exclusive"):
        assert connection.execute(LOCKS).fetchall() == [("RowExclusiveLock",)]


def test_lock_on_rows_leaves_the_others_alone(database: ConnInfo, connection: Connection) -> None:
    connection.execute("set lock_timeout = '50ms'")

    with hold_lock(database, sql.SQL("select from clients where id = 1 for update")):
        connection.execute("update clients set note = '' where id = 2")
        with pytest.raises(LockNotAvailable):
            connection.execute("update clients set note = '' where id = 1")


def test_unknown_mode_is_refused(database: ConnInfo) -> None:
    with pytest.raises(UsageError, match="access exclusive"), hold_lock(database, "clients", mode="drop table"):
        raise AssertionError


def test_lock_that_can_not_be_had_is_told(
    database: ConnInfo, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "PATIENCE_S", 0.05)
    with (
        hold_lock(database, "clients"),
        pytest.raises(Unverifiable, match="somebody else held the lock"),
        hold_lock(database, "clients"),
    ):
        raise AssertionError


def test_server_ends_a_lock_whose_test_hangs(
    database: ConnInfo, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "LONGEST_HOLD_MS", 50)
    started = monotonic()
    with hold_lock(database, "clients"):
        connection.execute("select * from clients")

    assert monotonic() - started < 5


def test_lock_is_free_after_a_test_that_failed(database: ConnInfo, connection: Connection) -> None:
    with pytest.raises(ZeroDivisionError), hold_lock(database, "clients"):
        raise ZeroDivisionError

    assert connection.execute(LOCKS).fetchall() == []


def two_tables(connection: Connection) -> None:
    with connection.transaction():
        connection.execute("update clients set note = 'x' where id = 1")
        connection.execute("update bookings set id = id")


def test_transaction_loses_the_deadlock_and_its_next_try_succeeds(database: ConnInfo, connection: Connection) -> None:
    connection.execute("set deadlock_timeout = '300ms'")

    with deadlock(database, holds="bookings", wants="clients"):
        with pytest.raises(DeadlockDetected):
            two_tables(connection)
        two_tables(connection)

    assert connection.execute("select note from clients where id = 1").fetchone() == ("x",)


def test_deadlock_is_repeated_by_run(database: ConnInfo, connection: Connection) -> None:
    tries = []

    def work(tx: Any) -> None:
        tries.append(1)
        tx.execute("update clients set note = 'x' where id = 1")
        tx.execute("update bookings set id = id")

    with Database(DatabaseSettings(conninfo=database)) as db, deadlock(database, holds="bookings", wants="clients"):
        db.run(work)

    assert len(tries) == 2


def test_rows_of_one_table_deadlock(database: ConnInfo, connection: Connection) -> None:
    connection.execute("set deadlock_timeout = '300ms'")
    row = "select from clients where id = {} for update"

    def both_rows() -> None:
        with connection.transaction():
            connection.execute("update clients set note = 'x' where id = 1")
            connection.execute("update clients set note = 'x' where id = 2")

    with (
        deadlock(database, holds=sql.SQL(row).format(2), wants=sql.SQL(row).format(1)),
        pytest.raises(DeadlockDetected),
    ):
        both_rows()


@pytest.mark.parametrize(
    ("statement", "missing"),
    [("select 1", "nobody in the block waited"), ("update bookings set id = id", "had not locked what was wanted")],
)
def test_deadlock_that_did_not_happen_is_told(
    database: ConnInfo, connection: Connection, statement: str, missing: str
) -> None:
    with (
        pytest.raises(Unverifiable, match=missing),
        deadlock(database, holds="bookings", wants="clients"),
    ):
        connection.execute(statement.encode())


def test_wait_that_is_given_up_before_it_is_noticed_was_no_deadlock(
    database: ConnInfo, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who looked for a deadlock before there was one looks no more."""
    monkeypatch.setattr(sessions, "PATIENCE_S", 0.3)
    connection.execute("set deadlock_timeout = '1h'")

    with (
        pytest.raises(Unverifiable, match="never looked for a deadlock"),
        deadlock(database, holds="bookings", wants="clients"),
    ):
        two_tables(connection)


def test_deadlock_needs_who_may_choose_the_victim(database: ConnInfo, connection: Connection) -> None:
    connection.execute("create role plain login")
    try:
        with (
            pytest.raises(PermissionMissing, match="grant set on parameter"),
            deadlock(database.with_parameters(user="plain"), holds="bookings", wants="clients"),
        ):
            raise AssertionError
    finally:
        connection.execute("drop role plain")


def test_nothing_is_left_of_a_deadlock(database: ConnInfo, connection: Connection) -> None:
    before = set(threading.enumerate())

    with pytest.raises(Unverifiable), deadlock(database, holds="bookings", wants="clients"):
        connection.execute("select 1")
    two_tables(connection)

    assert set(threading.enumerate()) == before
    query = "select count(*) from pg_stat_activity where application_name = %s"
    assert connection.execute(query, [sessions.NAME]).fetchone() == (0,)
