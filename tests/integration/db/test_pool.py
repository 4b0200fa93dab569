"""The pool on a real server: who gets a connection, when, and how many backends the server ever sees."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic
from typing import Any

import psycopg
import pytest
from tests.integration.db.conftest import Log, Observer, until

from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.db.events import Kind
from trueup.errors import (
    ConnectionFailed,
    Disconnected,
    Duplicate,
    PoolTimeout,
    StatementTimeout,
    TooManyConnections,
    UsageError,
    WouldDeadlock,
)
from trueup.settings import DatabaseSettings
from trueup.testing.faults import Proxy

OpenDb = Callable[..., Database]
SLACK_S = 0.3
"""What a busy machine may add to a deadline."""


def answer(db: Database) -> Any:
    with db.connection() as connection:
        return connection.execute("select 1").fetchone()


def test_opens_nothing_until_used(open_db: OpenDb, observer: Observer) -> None:
    """W-P1: making a Database has no side effect."""
    open_db()

    assert observer.backends() == []


def fill(db: Database, count: int) -> None:
    """Leave `count` idle connections in the pool."""
    barrier = threading.Barrier(count)

    def hold() -> None:
        with db.connection() as connection:
            connection.execute("select 1")
            barrier.wait(10)

    with ThreadPoolExecutor(count) as threads:
        for done in [threads.submit(hold) for _ in range(count)]:
            done.result(10)


def test_a_connection_says_who_it_is_and_how_long_things_may_take(open_db: OpenDb) -> None:
    db = open_db(lock_timeout_s=2)

    with db.connection() as connection:
        names = ("application_name", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        found = [connection.execute("select current_setting(%s)", [name]).fetchone() for name in names]
        whole = connection.execute("select current_setting('transaction_timeout', true)").fetchone()
        is_newer = connection.info.server_version >= 170000

    assert found == [(f"svc:{os.getpid()}",), ("5s",), ("2s",), ("1min",)]
    assert whole == ("5min" if is_newer else None,)


def test_lone_read_takes_one_round_trip(open_db: OpenDb, proxy: Proxy) -> None:
    db = open_db(proxy)
    answer(db)
    before = proxy.flights

    answer(db)

    assert proxy.flights - before == 1


@pytest.mark.parametrize("size", [3, 10, 20])
def test_restart_while_idle_fails_no_request(open_db: OpenDb, own_server: Any, size: int) -> None:
    """W-P2, W-P3: the server ended idle sessions, and each cost an error."""
    db = open_db(max_connections=size)
    fill(db, size)
    own_server.restart("fast")
    started = monotonic()

    answer(db)
    first_s = monotonic() - started
    fill(db, size)

    assert first_s < 1.0
    assert db.statistics().discarded == size


def test_waiting_callers_are_served_when_the_server_is_back(open_db: OpenDb, own_server: Any) -> None:
    """W-P2: no policy for reconnecting."""
    db = open_db(max_connections=2, checkout_timeout_s=30)
    answer(db)
    own_server.stop("immediate")
    with ThreadPoolExecutor(6) as threads:
        callers = [threads.submit(answer, db) for _ in range(6)]
        until(lambda: db.statistics().connects_failed > 8, 20)

        own_server.start()
        back = monotonic()

        assert [caller.result(10) for caller in callers] == [(1,)] * 6
        assert monotonic() - back < 1.5


def test_waiting_callers_are_served_when_a_dark_wire_is_lit(open_db: OpenDb, proxy: Proxy) -> None:
    db = open_db(proxy, checkout_timeout_s=30, connect_timeout_s=30)
    proxy.swallow()
    with ThreadPoolExecutor(2) as threads:
        callers = [threads.submit(answer, db) for _ in range(2)]
        until(lambda: proxy.accepted > 3, 10)  # logins and probes went into the void

        proxy.restore()
        lit = monotonic()

        assert [caller.result(10) for caller in callers] == [(1,)] * 2
        assert monotonic() - lit < 1.5


def test_checkout_ends_in_time_when_all_are_in_use(open_db: OpenDb) -> None:
    db = open_db(max_connections=1, checkout_timeout_s=0.3)
    with db.connection(), ThreadPoolExecutor(1) as threads:
        started = monotonic()
        error = threads.submit(answer, db).exception(5)

        assert 0.3 <= monotonic() - started < 0.4 + SLACK_S
    assert isinstance(error, PoolTimeout)
    assert "test_checkout_ends_in_time_when_all_are_in_use" in str(error), "who holds it is named"
    assert answer(db) == (1,)


def test_checkout_ends_in_time_when_the_login_hangs(open_db: OpenDb, proxy: Proxy) -> None:
    db = open_db(proxy, checkout_timeout_s=0.3)
    proxy.darken()
    started = monotonic()

    with pytest.raises(ConnectionFailed, match="does not answer the login"):
        answer(db)

    assert monotonic() - started < 0.4 + SLACK_S


def test_refused_login_is_told_with_its_reason_when_time_is_up(open_db: OpenDb, proxy: Proxy) -> None:
    db = open_db(proxy, checkout_timeout_s=0.3)
    proxy.refuse()

    with pytest.raises(ConnectionFailed) as caught:
        answer(db)

    assert caught.value.outcome.value == "not_sent"


def test_unknown_role_is_told_at_once(open_db: OpenDb, target: Any) -> None:
    db = open_db(conninfo=target.with_parameters(user="nobody_here"))
    started = monotonic()

    with pytest.raises(ConnectionFailed, match="check the name of the user"):
        answer(db)

    assert monotonic() - started < 2


def test_returned_connection_serves_who_waits_for_a_login_that_hangs(open_db: OpenDb, proxy: Proxy) -> None:
    db = open_db(proxy, max_connections=2, checkout_timeout_s=5)
    with ThreadPoolExecutor(1) as threads:
        with db.connection():
            proxy.swallow()
            caller = threads.submit(answer, db)
            until(lambda: db.statistics().waiting)

        assert caller.result(1) == (1,)


def test_statement_on_a_dark_wire_ends_in_time(open_db: OpenDb, proxy: Proxy) -> None:
    db = open_db(proxy, max_connections=1, statement_timeout_s=0.5)
    answer(db)

    proxy.on(b"select 1", "dark before")
    started = monotonic()
    with pytest.raises(StatementTimeout) as caught:
        answer(db)
    elapsed = monotonic() - started
    proxy.light()

    assert elapsed < 0.75 + SLACK_S
    assert caught.value.outcome.value == "unknown"
    assert answer(db) == (1,)


def test_stopped_backend_is_left_in_time_and_ended_later(open_db: OpenDb, observer: Observer) -> None:
    db = open_db(max_connections=1, statement_timeout_s=0.5)
    with db.connection() as connection:
        stuck = connection.info.backend_pid
    os.kill(stuck, signal.SIGSTOP)
    try:
        started = monotonic()
        with pytest.raises(StatementTimeout):
            answer(db)
        assert monotonic() - started < 0.75 + SLACK_S
        assert answer(db) == (1,)
    finally:
        os.kill(stuck, signal.SIGCONT)

    until(lambda: stuck not in observer.backends())


def test_server_ends_a_slow_statement_and_the_connection_lives(open_db: OpenDb) -> None:
    db = open_db(statement_timeout_s=0.2)

    with pytest.raises(StatementTimeout) as caught, db.connection() as connection:
        connection.execute("select pg_sleep(5)")

    assert caught.value.outcome.value == "rolled_back"
    assert db.statistics().idle == 1


def test_budget_holds_while_connections_are_replaced(open_db: OpenDb, as_role: Any, observer: Observer) -> None:
    """W-P5: a role that may hold 3 connections is never refused a fourth."""
    db = open_db(conninfo=as_role("connection limit 3"), max_lifetime_s=0.1)
    end = monotonic() + 1.5
    most = 0

    def work() -> None:
        while monotonic() < end:
            answer(db)

    with ThreadPoolExecutor(6) as threads:
        workers = [threads.submit(work) for _ in range(6)]
        while monotonic() < end:
            most = max(most, len(observer.backends()))
        for worker in workers:
            worker.result(5)

    statistics = db.statistics()
    assert statistics.connects_failed == 0
    assert statistics.replaced > 10
    assert most == 3


def test_budget_holds_after_a_restart(open_db: OpenDb, as_role: Any, own_server: Any) -> None:
    db = open_db(conninfo=as_role("connection limit 3"), checkout_timeout_s=20)
    fill(db, 3)
    own_server.restart("fast")

    fill(db, 3)

    assert db.statistics().in_use + db.statistics().idle == 3
    assert db.statistics().connects_failed == 0


def test_connection_is_replaced_only_when_its_backend_is_gone(open_db: OpenDb, as_role: Any, proxy: Proxy) -> None:
    db = open_db(max_connections=1, conninfo=proxy.through(as_role("connection limit 1")))
    proxy.before(b"X\0\0\0\4", lambda: threading.Event().wait(0.3))  # The goodbye travels slowly.
    with db.connection() as connection:
        connection.execute("set timezone = 'UTC'")

    answer(db)

    assert db.statistics().connects == 2
    assert db.statistics().connects_failed == 0


def test_connection_that_was_idle_for_longer_is_asked_for_a_sign_of_life(open_db: OpenDb, proxy: Proxy) -> None:
    """A wire that went dark shows nothing; only a question does."""
    db = open_db(proxy, check_after_s=0.05, statement_timeout_s=10)
    fill(db, 3)
    proxy.lose()
    threading.Event().wait(0.06)
    started = monotonic()

    assert answer(db) == (1,)

    assert monotonic() - started < 3
    assert db.statistics().discarded == 3, "what holds for one holds for all that were idle"


def test_no_slot_on_the_server_is_its_own_error_and_passes(open_db: OpenDb, as_role: Any) -> None:
    conninfo = as_role("connection limit 1")
    first, second = open_db(conninfo=conninfo), open_db(conninfo=conninfo, checkout_timeout_s=0.3)
    answer(first)

    with pytest.raises(TooManyConnections) as caught:
        answer(second)
    first.close(drain_s=0)

    assert caught.value.sqlstate == "53300"
    assert answer(second) == (1,)


def stream(connection: Any, text: str) -> None:
    """Run a statement through `Cursor.stream`, which complains afterwards if it has no rows."""
    with suppress(psycopg.ProgrammingError):
        list(connection.cursor().stream(text))


WAYS_TO_RUN: dict[str, Callable[..., Any]] = {
    "execute": lambda connection, text: connection.execute(text),
    "executemany": lambda connection, text: connection.cursor().executemany(text, [()]),
    "stream": stream,
}


@pytest.mark.parametrize(
    "statement",
    [
        "set statement_timeout = 1234",
        "select set_config('search_path', 'nowhere', false)",
        "select pg_advisory_lock(1)",
        "create temp table leftover (x int)",
        "listen news",
        "prepare mine as select 1",
        "set role pg_monitor",
    ],
)
@pytest.mark.parametrize("run", WAYS_TO_RUN.values(), ids=WAYS_TO_RUN.keys())
def test_session_state_stays_with_its_user(open_db: OpenDb, statement: str, run: Callable[..., Any]) -> None:
    db = open_db(max_connections=1)
    with db.connection() as connection:
        run(connection, statement)

    with db.connection() as connection:
        found = connection.execute(
            "select current_setting('statement_timeout'), current_setting('search_path'), current_user::text,"
            " (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()),"
            " to_regclass('leftover')::text, (select count(*) from pg_listening_channels()),"
            " (select count(*) from pg_prepared_statements where name = 'mine')"
        ).fetchone()

    assert found == ("5s", '"$user", public', "postgres", 0, None, 0, 0)


def test_connection_keeps_no_attribute_of_its_last_user(open_db: OpenDb) -> None:
    db = open_db(max_connections=1)
    with db.connection() as connection:
        connection.row_factory = psycopg.rows.dict_row  # type: ignore[assignment]
    with db.connection() as connection:
        connection.autocommit = False

    with db.connection() as connection:
        assert connection.autocommit
        assert connection.execute("select 1").fetchone() == (1,)


def test_behind_a_pooler_nothing_rests_on_the_session(open_db: OpenDb) -> None:
    """Timeouts are set by each transaction, and no statement stays prepared on a server connection."""
    db = open_db(pooler=True, max_connections=1, transaction_timeout_s=77)
    names = "current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting(%s, true)"

    with db.connection() as connection:
        outside = connection.execute(f"select {names}", ["transaction_timeout"]).fetchone()
        threshold = connection.prepare_threshold
        version = connection.info.server_version
    with db.transaction() as tx:
        inside = tx.execute(f"select {names}", ["transaction_timeout"]).fetchone()

    newer = version >= 170000
    assert outside == ("0", "0", "0" if newer else None)
    assert inside == ("5s", "30s", "77s" if newer else None)
    assert threshold is None


def test_no_transaction_outlives_its_timeout(open_db: OpenDb) -> None:
    db = open_db(max_connections=1, transaction_timeout_s=0.3, idle_in_transaction_timeout_s=0.3)

    def dawdle() -> None:
        with db.transaction() as tx:
            for _ in range(2):
                tx.execute("select pg_sleep(0.2)")
            threading.Event().wait(0.5)
            tx.execute("select 1")

    with pytest.raises(Disconnected) as caught:
        dawdle()

    assert caught.value.sqlstate in {"25P03", "25P04"}
    assert caught.value.outcome.value == "rolled_back"
    assert answer(db) == (1,)


def test_password_is_in_no_message(open_db: OpenDb, target: Any, caplog: pytest.LogCaptureFixture) -> None:
    secret = "s3cr3t-w0rd"
    text = f"postgresql://postgres:{secret}@127.0.0.1:1/x"
    db = open_db(conninfo=ConnInfo.parse(text), checkout_timeout_s=0.2)
    with caplog.at_level("DEBUG"), pytest.raises(ConnectionFailed) as caught:
        answer(db)

    error = caught.value
    shown = [repr(db), repr(db.settings), str(error), repr(error), repr(error.__dict__), caplog.text]
    assert not any(secret in part for part in shown)
    assert error.__cause__ is error.__context__ is None


def test_block_that_leaves_a_transaction_open_is_an_error(open_db: OpenDb, observer: Observer) -> None:
    """W-R19: a connection inside a transaction never goes back to the pool."""
    db = open_db(max_connections=1)

    with pytest.raises(UsageError, match="nothing of it is stored"), db.connection() as connection:
        connection.execute("begin; insert into t values (1)")

    assert observer.value("select count(*) from t") == 0
    assert answer(db) == (1,)


def test_broken_connection_never_goes_back(open_db: OpenDb) -> None:
    """W-R19."""
    db = open_db(max_connections=1)

    with pytest.raises(Disconnected) as caught, db.connection() as connection:
        connection.execute("select pg_terminate_backend(pg_backend_pid())")

    assert caught.value.sqlstate == "57P01"
    assert answer(db) == (1,)


def test_statement_error_leaves_the_connection_in_the_pool(open_db: OpenDb) -> None:
    db = open_db()
    answer(db)

    for _ in range(2):
        with pytest.raises(Duplicate), db.connection() as connection:
            connection.execute("insert into t values (1), (1)")

    assert db.statistics().connects == 1


def test_nested_checkout_that_can_never_be_served_fails_at_once_with_both_stacks(open_db: OpenDb) -> None:
    """W-P7, W-R23: the nested checkout waited for the whole timeout."""
    db = open_db(max_connections=1)
    started = monotonic()

    with pytest.raises(WouldDeadlock) as caught, db.connection():
        answer(db)

    assert monotonic() - started < 0.5
    assert str(caught.value).count("in test_nested_checkout_that_can_never") == 2
    assert "in answer" in str(caught.value)
    assert answer(db) == (1,)


def test_threads_that_wait_for_each_other_are_told_and_the_others_go_on(open_db: OpenDb) -> None:
    db = open_db(max_connections=2)
    barrier = threading.Barrier(2)

    def nest() -> Any:
        with db.connection():
            barrier.wait(5)
            return answer(db)

    with ThreadPoolExecutor(2) as threads:
        calls = [threads.submit(nest) for _ in range(2)]
        results = [call.exception(5) or call.result() for call in calls]

    assert sorted(type(result) for result in results if not isinstance(result, tuple)) == [WouldDeadlock]
    assert (1,) in results


def test_child_of_a_fork_uses_its_own_connection(open_db: OpenDb) -> None:
    db = open_db()
    with db.connection() as connection:
        parent = connection.info.backend_pid
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                with db.connection() as own:
                    os.write(writer, str(own.info.backend_pid).encode())
                db.close(drain_s=0)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        found = int(os.read(reader, 20))
        still = connection.execute("select pg_backend_pid()").fetchone()

    assert found != parent
    assert still == (parent,)


def test_long_hold_is_reported_with_its_stack_and_so_is_its_end(open_db: OpenDb) -> None:
    """W-P6: leaked and long-held connections went unseen."""
    log = Log()
    db = open_db(long_hold_s=0.1, log=log)

    with db.connection():
        until(lambda: Kind.LONG_HOLD in log.kinds())

    ends = {event.kind: event for event in log}
    assert "test_long_hold_is_reported" in ends[Kind.LONG_HOLD].detail
    assert ends[Kind.LONG_HOLD_ENDED].seconds >= 0.1
    assert db.statistics().long_holds == 1


def test_usage_counts_checkouts_and_not_open_connections(open_db: OpenDb) -> None:
    """W-P4: an idle small pool was reported as full, a full one never."""
    log = Log()
    db = open_db(max_connections=3, log=log)
    fill(db, 3)
    log.clear()

    answer(db)
    quiet = Kind.USAGE in log.kinds()
    with db.connection(), db.connection(), db.connection():
        pass

    assert not quiet
    assert Kind.USAGE in log.kinds()


def test_whatever_happens_to_a_connection_is_told_once(open_db: OpenDb) -> None:
    log = Log()
    db = open_db(max_connections=1, log=log)
    answer(db)
    with db.connection() as connection:
        connection.execute("set lock_timeout = 1")
    with suppress(Disconnected), db.connection() as connection:
        connection.execute("select pg_terminate_backend(pg_backend_pid())")
    with db.connection(), ThreadPoolExecutor(1) as thread:
        assert isinstance(thread.submit(db.pool.take, monotonic() + 0.05).exception(), PoolTimeout)
    db.close()

    told = {
        **dict.fromkeys((Kind.CONNECT, Kind.WAIT), 3),  # Whoever waits for a login waits for a connection.
        **dict.fromkeys((Kind.CHECKOUT, Kind.USAGE, Kind.RETURN), 4),
        **dict.fromkeys((Kind.REPLACE, Kind.DISCARD, Kind.TIMEOUT, Kind.CLOSE), 1),
    }
    until(lambda: Counter(log.kinds()) == told)
    assert {event.in_use for event in log if event.kind is Kind.USAGE} == {1}
    assert all(event.max_size == 1 for event in log)


def test_login_that_fails_is_told(target: ConnInfo) -> None:
    log = Log()
    with (
        Database(DatabaseSettings(conninfo=target.with_parameters(dbname="nowhere")), listener=log.append) as db,
        suppress(ConnectionFailed),
    ):
        answer(db)

    assert Counter(log.kinds()) == {Kind.CONNECT_FAILED: 1, Kind.TIMEOUT: 1}


def test_idle_connection_is_closed_after_its_time(open_db: OpenDb, observer: Observer) -> None:
    log = Log()
    db = open_db(idle_timeout_s=0.1, log=log)
    answer(db)

    until(lambda: observer.backends() == [])

    assert log.kinds()[-1] is Kind.CLOSE
    assert answer(db) == (1,)


def test_close_says_who_still_holds_what(open_db: OpenDb) -> None:
    db = open_db()
    with ThreadPoolExecutor(1) as threads:
        started = threading.Event()

        def hold() -> None:
            with db.connection() as connection:
                started.set()
                connection.execute("select pg_sleep(4)")

        holder = threads.submit(hold)
        started.wait(5)
        cut = db.close(drain_s=0.2)

        assert len(cut) == 1
        assert "in hold" in cut[0]
        assert isinstance(holder.exception(5), Disconnected)


def test_close_waits_for_work_in_hand(open_db: OpenDb) -> None:
    db = open_db()
    with ThreadPoolExecutor(1) as threads:
        started = threading.Event()

        def work() -> Any:
            with db.connection() as connection:
                started.set()
                return connection.execute("select 'done' from pg_sleep(0.3)").fetchone()

        worker = threads.submit(work)
        started.wait(5)
        cut = db.close(drain_s=5)

        assert cut == ()
        assert worker.result(5) == ("done",)
    with pytest.raises(UsageError, match="was closed"):
        answer(db)


def test_exit_does_not_wait_for_what_its_own_thread_holds(open_db: OpenDb, caplog: pytest.LogCaptureFixture) -> None:
    started = monotonic()
    with open_db() as db:
        db.connection().__enter__()

    assert monotonic() - started < 5
    assert "1 connections were cut" in caplog.text
    assert "in test_exit_does_not_wait" in caplog.text


def test_database_that_is_never_closed_warns(target: Any) -> None:
    db = Database(DatabaseSettings(conninfo=target))
    answer(db)

    reference = [db]
    del db

    with pytest.warns(ResourceWarning, match="never closed"):
        reference.clear()


def test_interrupted_wait_loses_no_slot(open_db: OpenDb) -> None:
    db = open_db(max_connections=1)
    gate, done = threading.Event(), threading.Event()

    def hold() -> None:
        with db.connection():
            gate.set()
            done.wait(5)

    with ThreadPoolExecutor(1) as threads:
        threads.submit(hold)
        gate.wait(5)
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            answer(db)
        done.set()

    assert answer(db) == (1,)
    assert db.statistics().waiting == 0


def test_listener_that_fails_does_no_harm(open_db: OpenDb, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Log):
        def append(self, event: Any) -> None:
            raise ZeroDivisionError

    db = open_db(log=Broken())

    assert answer(db) == (1,)
    assert "a listener of the pool failed" in caplog.text


def test_one_login_tries_for_all_while_the_server_is_away(open_db: OpenDb, proxy: Proxy) -> None:
    db = open_db(proxy, max_connections=3, checkout_timeout_s=2)
    proxy.darken()

    with ThreadPoolExecutor(3) as threads:
        callers = [threads.submit(answer, db) for _ in range(3)]
        until(lambda: db.statistics().opening == 3)
        proxy.refuse()
        proxy.cut()
        proxy.light()
        failures = [caller.exception(5) for caller in callers]

    assert {type(failure) for failure in failures} == {ConnectionFailed}
    assert 4 <= db.statistics().connects_failed <= 11  # The first three, and at least one that tries for all.
