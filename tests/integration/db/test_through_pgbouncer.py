"""The runtime's suite through a pooler in transaction mode: the same promises, and no state of a session."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from psycopg import sql
from tests.integration.db import test_fate, test_fault_matrix, test_pool, test_transaction
from tests.integration.db.conftest import Observer, until
from tests.integration.db.isolation import test_isolation
from tests.integration.db.pgbouncer import PgBouncer
from tests.integration.db.pooling import *  # noqa: F403
from tests.integration.db.pooling import session_scoped, take_over

from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.errors import Disconnected, InvalidData, Outcome, StatementTimeout, UsageError
from trueup.servers import EmbeddedServer
from trueup.settings import DatabaseSettings

OpenDb = Callable[..., Database]

SESSIONS = "the server's sessions, and how long they last, are the pooler's"
OPTIONS = "the pooler takes no settings at login; each transaction sets them"
PROCESS = "the number of the server's process is not known behind the pooler"
OWN = "it makes its own Database"
OUTAGE = "the pooler is what stays up, and answers for the server"
DIRECT_ONLY = {
    "test_a_connection_says_who_it_is_and_how_long_things_may_take": OPTIONS,
    "test_durable_waits_for_the_disk_and_is_never_nested": OPTIONS,
    "test_server_ends_a_slow_statement_and_the_connection_lives": OPTIONS,
    "test_session_state_stays_with_its_user": SESSIONS,
    "test_connection_is_replaced_only_when_its_backend_is_gone": SESSIONS,
    "test_budget_holds_while_connections_are_replaced": SESSIONS,
    "test_no_slot_on_the_server_is_its_own_error_and_passes": SESSIONS,
    "test_idle_connection_is_closed_after_its_time": SESSIONS,
    "test_whatever_happens_to_a_connection_is_told_once": SESSIONS,
    "test_budget_holds_after_a_restart": OUTAGE,
    "test_restart_while_idle_fails_no_request": OUTAGE,
    "test_waiting_callers_are_served_when_the_server_is_back": OUTAGE,
    "test_stopped_backend_is_left_in_time_and_ended_later": PROCESS,
    "test_child_of_a_fork_uses_its_own_connection": PROCESS,
    "test_original_error_survives_a_failing_rollback": PROCESS,
    "test_database_that_is_never_closed_warns": OWN,
    "test_login_that_fails_is_told": OWN,
}
for module in (test_fate, test_fault_matrix, test_isolation, test_pool, test_transaction):
    take_over(module, globals(), DIRECT_ONLY)
del module


def test_slow_commit_that_was_given_up_is_told_as_it_ended(open_db: OpenDb, observer: Observer) -> None:
    """Whether the cancellation reaches the server is the pooler's affair."""
    observer.run(
        "create function doze() returns trigger language plpgsql as 'begin perform pg_sleep(1); return new; end'"
    )
    observer.run(
        "create constraint trigger doze after insert on t deferrable initially deferred for each row"
        " execute function doze()"
    )
    db = open_db(statement_timeout_s=0.3)

    error = test_fault_matrix.caught(lambda: test_transaction.insert_all(db, 1))

    assert error is None or (isinstance(error, Disconnected) and error.outcome is Outcome.ROLLED_BACK)
    assert observer.rows("select id from t") == ([] if error else [(1,)])


def test_lone_statement_that_takes_too_long_is_cancelled_on_the_server(open_db: OpenDb, observer: Observer) -> None:
    """Its timeout is the client's alone: a setting would be everybody's."""
    db = open_db(statement_timeout_s=0.3)
    running = "select 1 from pg_stat_activity where query = 'select pg_sleep(30)' and state = 'active'"

    with pytest.raises(StatementTimeout) as caught, db.connection() as connection:
        connection.execute("select pg_sleep(30)")

    assert caught.value.outcome is Outcome.UNKNOWN
    until(lambda: observer.rows(running) == [])


def test_pooler_without_a_server_in_time_has_sent_nothing(own_server: EmbeddedServer, target: ConnInfo) -> None:
    with PgBouncer(own_server.port, pool_size=1, query_wait_timeout=1) as pgbouncer:
        settings = DatabaseSettings(conninfo=pgbouncer.conninfo(target), pooler=True)
        with (
            Database(settings) as db,
            Database(settings) as other,
            other.transaction(),
            pytest.raises(Disconnected) as caught,
            db.connection() as connection,
        ):
            connection.execute("select 1")

    assert (caught.value.sqlstate, caught.value.outcome, caught.value.retryable) == ("08P01", Outcome.NOT_SENT, True)


@pytest.mark.parametrize(
    "statement",
    [
        "set statement_timeout = 1234",
        sql.SQL("set role postgres"),
        b"listen news",
        "select set_config('work_mem', '1MB', false)",
        "select pg_advisory_lock(1)",
        "create temporary table leftover (id int)",
        "prepare mine as select 1",
    ],
    ids=str,
)
def test_change_of_the_session_is_refused_before_it_is_sent(
    open_db: OpenDb, own_server: EmbeddedServer, statement: Any
) -> None:
    """The session is everybody's: what is set in it would be found by another service."""
    db = open_db()
    before = len(own_server.log_text())

    with pytest.raises(UsageError, match="set local"), db.connection() as connection:
        connection.execute(statement)
    with pytest.raises(UsageError, match="not sent"), db.transaction() as tx:
        tx.execute(statement)

    assert session_scoped(own_server.log_text()[before:]) == []


def test_what_ends_with_its_transaction_and_blocks_of_code_are_let_through(open_db: OpenDb) -> None:
    with open_db().transaction() as tx:
        tx.execute("set local work_mem = '1MB'")
        tx.execute("do $$ begin perform 1; end $$")
        tx.execute("create temporary table passing (id int) on commit drop")


def test_timeouts_do_not_leak_to_the_next_client(own_server: EmbeddedServer, target: ConnInfo) -> None:
    """W-P3: one server session serves them all, and each finds it as it was before the first."""
    limits = (
        "select pg_backend_pid(), current_setting('lock_timeout'), current_setting('statement_timeout'),"
        " current_setting('idle_in_transaction_session_timeout')"
    )
    changed = (
        "select name from pg_settings where source = 'session' and name not in"
        " ('application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings')"
    )

    def read(tx: Any) -> Any:
        return tx.execute(limits).fetchone()

    def fail(db: Database) -> None:
        with db.transaction(lock_timeout_s=3, statement_timeout_s=4) as tx:
            tx.execute("select 1 / 0")

    with PgBouncer(own_server.port, pool_size=1) as pgbouncer:
        settings = DatabaseSettings(conninfo=pgbouncer.conninfo(target), pooler=True, statement_timeout_s=7)
        with Database(settings) as one, Database(settings) as other:
            with one.transaction(lock_timeout_s=1, statement_timeout_s=2, durable=True) as tx:
                with one.transaction(lock_timeout_s=5):
                    inner = read(tx)
                outer = read(tx)
            with pytest.raises(InvalidData):
                fail(one)
            with other.transaction() as tx:
                usual = read(tx)
            with other.connection() as connection:
                alone = read(connection)
                left = connection.execute(changed).fetchall()

    assert {found[0] for found in (inner, outer, usual, alone)} == {inner[0]}, "it is one session"
    assert [found[1:] for found in (inner, outer, usual, alone)] == [
        ("5s", "2s", "1min"),
        ("1s", "2s", "1min"),
        ("30s", "7s", "1min"),
        ("0", "0", "0"),
    ]
    assert left == []


def test_clients_beyond_the_pooler_s_size_take_turns(own_server: EmbeddedServer, target: ConnInfo) -> None:
    """Each keeps its own limits on a session that serves all."""
    with PgBouncer(own_server.port, pool_size=2) as pgbouncer:
        settings = DatabaseSettings(conninfo=pgbouncer.conninfo(target), pooler=True, max_connections=3)
        with Database(settings) as one, Database(settings) as other, ThreadPoolExecutor(6) as threads:

            def ask(number: int) -> Any:
                with (one, other)[number % 2].transaction(lock_timeout_s=number + 1) as tx:
                    return tx.execute("select current_setting('lock_timeout')").fetchone()

            found = list(threads.map(ask, range(59)))

    assert found == [(f"{number + 1}s",) for number in range(59)]


@pytest.mark.parametrize(
    ("logged", "is_found"),
    [
        ("statement: begin; set local lock_timeout = 1; select set_config('a.b', 'x', true)", False),
        ("statement: SET application_name='svc:1';", False),
        ("execute <unnamed>: select 1", False),
        ("statement: select pg_advisory_xact_lock(1)", False),
        ("statement: create temp table x () on commit drop", False),
        ("statement: begin; set lock_timeout = 1", True),
        ("statement: set application_name = 'mine'", True),
        ("statement: select set_config('a.b', 'x', false)", True),
        ("execute trueup_1: select 1", True),
        ("statement: select\n\tpg_try_advisory_lock(1)", True),
        ("statement: listen news", True),
        ("statement: reset all", True),
        ("statement: create temporary table x ()", True),
        ("statement: declare c cursor\n\twith hold for select 1", True),
        ("statement: prepare x as select 1", True),
    ],
)
def test_statement_that_outlives_its_transaction_is_seen_in_the_log(logged: str, is_found: bool) -> None:
    line = "2026-01-01 00:00:00.000 UTC [1] {} LOG:  " + logged + "\n2026-01-01 00:00:00.000 UTC [1]  LOG:  x\n"

    assert bool(session_scoped(line.format("svc:1"))) == is_found
    assert session_scoped(line.format("observer")) == []
