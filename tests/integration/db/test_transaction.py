"""Transactions on a real server: what they promise when everything goes well, and when something breaks."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import psycopg
import pytest
from tests.integration.db.conftest import Observer, until

from trueup.db import Database
from trueup.db.block import Block
from trueup.errors import (
    CommitUnknown,
    Conflict,
    DatabaseError,
    Disconnected,
    Duplicate,
    ForeignKeyMissing,
    LockTimeout,
    Outcome,
    SchemaMismatch,
    StatementTimeout,
    TransactionAborted,
    UsageError,
)
from trueup.testing.faults import Proxy

OpenDb = Callable[..., Database]
INSERT = "insert into t (id) values (%s)"


def ids(observer: Observer) -> list[int]:
    return [found for (found,) in observer.rows("select id from t order by id")]


def insert(db: Database, number: int) -> None:
    """Do as a repository does: join whatever transaction there is."""
    with db.connection() as connection:
        connection.execute(INSERT, [number])


def insert_all(db: Database, *numbers: int) -> None:
    with db.transaction():
        for number in numbers:
            insert(db, number)


def insert_and_fail(
    db: Database, number: int, *, hook: Callable[[], object] = lambda: None, also: Callable[[], object] = lambda: None
) -> None:
    with db.transaction() as tx:
        tx.on_commit(hook)
        insert(db, number)
        also()
        raise LookupError


def test_block_commits_what_joined_it(open_db: OpenDb, observer: Observer) -> None:
    """W-R24: methods of the domain could not run inside a transaction."""
    db = open_db(max_connections=1)

    insert_all(db, 1, 2)

    assert ids(observer) == [1, 2]


def test_error_rolls_back_and_leaves_with_its_name(open_db: OpenDb, observer: Observer) -> None:
    """W-R25: constraint and table were dropped."""
    db = open_db()

    with pytest.raises(Duplicate) as caught:
        insert_all(db, 1, 1)

    error = caught.value
    facts = (error.sqlstate, error.table, error.constraint, error.columns, error.outcome, error.retryable)
    assert facts == ("23505", "public.t", "t_pkey", ("id",), Outcome.ROLLED_BACK, False)
    assert isinstance(error.__cause__, psycopg.errors.UniqueViolation)
    assert ids(observer) == []


def test_driver_error_that_leaves_the_block_is_named(open_db: OpenDb) -> None:
    db = open_db()

    with pytest.raises(SchemaMismatch, match='"nowhere" does not exist') as caught, db.transaction() as tx:
        tx.connection.execute("select * from nowhere")

    assert isinstance(caught.value.__cause__, psycopg.errors.UndefinedTable)


@pytest.mark.parametrize("state", ["23505", "40001", "42501", "55P03", "57014"])
def test_text_of_a_function_is_in_no_error(open_db: OpenDb, state: str) -> None:
    """The server's own words of these states hold no value; a trigger may raise them with any."""
    db = open_db()
    words = f"'phone +7 900' using errcode = '{state}', detail = '(+7 900)=(taken)'"

    with pytest.raises(DatabaseError) as refusal, db.transaction() as tx:
        tx.execute(f"do $$ begin raise exception {words}; end $$")

    assert (refusal.value.sqlstate, refusal.value.columns) == (state, ())
    assert "900" not in str(refusal.value)


def test_swallowed_error_cannot_commit(open_db: OpenDb, observer: Observer) -> None:
    """W-R22: COMMIT of an aborted transaction was reported as a success."""
    db = open_db(max_connections=1)

    def swallow() -> None:
        with db.transaction():
            insert(db, 1)
            with pytest.raises(Duplicate):
                insert(db, 1)

    with pytest.raises(TransactionAborted) as caught:
        swallow()

    cause = caught.value.__cause__
    assert isinstance(cause, Duplicate)
    assert isinstance(cause.__cause__, psycopg.errors.UniqueViolation)
    assert caught.value.sqlstate == "23505"
    assert ids(observer) == []
    insert_all(db, 2)
    assert ids(observer) == [2]


def test_swallowed_loss_of_the_connection_cannot_commit(open_db: OpenDb, observer: Observer) -> None:
    db = open_db(max_connections=1)

    def swallow() -> None:
        with db.transaction() as tx:
            insert(db, 1)
            with pytest.raises(Disconnected) as lost:
                tx.execute("select pg_terminate_backend(pg_backend_pid())")
            assert lost.value.outcome is Outcome.ROLLED_BACK

    with pytest.raises(TransactionAborted) as caught:
        swallow()

    assert isinstance(caught.value.__cause__, Disconnected)
    insert_all(db, 2)
    assert ids(observer) == [2]


def test_original_error_survives_a_failing_rollback(open_db: OpenDb, observer: Observer) -> None:
    """W-R18: a failing ROLLBACK replaced the error."""
    db = open_db(max_connections=1)

    def break_and_fail() -> None:
        with db.transaction() as tx:
            observer.run("select pg_terminate_backend(%s, 5000)", [tx.connection.info.backend_pid])
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine") as caught:
        break_and_fail()

    assert "the rollback failed as well" in caught.value.__notes__[0]
    insert_all(db, 2)
    assert ids(observer) == [2]


def test_lost_begin_is_begun_again(open_db: OpenDb, observer: Observer, proxy: Proxy) -> None:
    db = open_db(proxy, max_connections=1)
    insert_all(db, 1)
    proxy.on(b"begin", "cut before")

    insert_all(db, 2)

    assert ids(observer) == [1, 2]


def test_begin_that_is_lost_for_good_is_its_own_error(open_db: OpenDb, observer: Observer, proxy: Proxy) -> None:
    """W-R20: a ROLLBACK after the failing BEGIN replaced its error."""
    db = open_db(proxy, max_connections=1)
    for _ in range(2):
        proxy.on(b"begin", "cut before")

    with pytest.raises(Disconnected) as caught:
        insert_all(db, 1)

    assert caught.value.outcome is Outcome.NOT_SENT
    assert caught.value.retryable
    insert_all(db, 2)
    assert ids(observer) == [2]


def test_deferred_constraint_that_fails_at_commit_is_named(open_db: OpenDb, observer: Observer) -> None:
    observer.run("create table child (t int constraint parent_exists references t deferrable initially deferred)")
    db = open_db(max_connections=1)
    called: list[int] = []

    def orphan() -> None:
        with db.transaction() as tx:
            tx.on_commit(lambda: called.append(1))
            tx.execute("insert into child values (7)")

    with pytest.raises(ForeignKeyMissing) as caught:
        orphan()

    assert (caught.value.constraint, caught.value.table) == ("parent_exists", "public.child")
    assert observer.value("select count(*) from child") == 0
    assert called == []
    assert db.statistics().discarded == 0


def test_commit_that_arrived_without_an_answer_is_found_out(open_db: OpenDb, observer: Observer, proxy: Proxy) -> None:
    """W-R21: a lost COMMIT was reported as rolled back."""
    db = open_db(proxy, max_connections=1)
    proxy.on(b"commit", "cut behind")

    insert_all(db, 1)

    assert ids(observer) == [1]
    assert db.statistics().connects == 2, "another connection was asked"


def test_commit_that_never_arrived_is_found_out(open_db: OpenDb, observer: Observer, proxy: Proxy) -> None:
    """W-R21."""
    db = open_db(proxy, max_connections=1)
    proxy.on(b"commit", "cut before")

    with pytest.raises(Disconnected, match="was rolled back") as caught:
        insert_all(db, 1)

    assert caught.value.outcome is Outcome.ROLLED_BACK
    assert caught.value.retryable
    assert ids(observer) == []


def test_commit_nobody_can_be_asked_about_is_unknown(open_db: OpenDb, own_server: Any, proxy: Proxy) -> None:
    db = open_db(proxy, checkout_timeout_s=0.5)

    def lose_everything() -> None:
        with db.transaction():
            insert(db, 1)
            proxy.on(b"commit", "cut behind")
            proxy.refuse()

    with pytest.raises(CommitUnknown, match=r"pg_xact_status\('\d+'\)") as caught:
        lose_everything()

    assert (caught.value.outcome, caught.value.retryable) == (Outcome.UNKNOWN, False)
    assert f"pg_xact_status('{caught.value.xid}')" in str(caught.value)


def test_idle_transaction_that_was_ended_is_told_so_at_its_commit(open_db: OpenDb, observer: Observer) -> None:
    """The server said why before it was told COMMIT: nobody has to be asked, and another run would be as slow."""
    db = open_db(idle_in_transaction_timeout_s=0.2)
    tries = []

    def dawdle(tx: Block) -> None:
        tries.append(1)
        insert(db, 1)
        threading.Event().wait(0.5)

    with pytest.raises(Disconnected, match="idle_in_transaction_session_timeout") as caught:
        db.run(dawdle)

    assert (caught.value.sqlstate, caught.value.outcome) == ("25P03", Outcome.ROLLED_BACK)
    assert len(tries) == 1
    assert ids(observer) == []


def test_block_has_the_number_of_its_transaction(open_db: OpenDb) -> None:
    db = open_db()

    with db.transaction() as tx, db.transaction() as nested:
        found = tx.execute("select pg_current_xact_id()::text::bigint").fetchone()
    with db.transaction(read_only=True) as reader:
        pass

    assert (tx.xid,) == (nested.xid,) == found
    assert reader.xid is None


def test_connection_lost_while_a_nested_block_is_undone_is_worth_another_run(
    open_db: OpenDb, observer: Observer, proxy: Proxy
) -> None:
    db = open_db(proxy)
    tries = []

    def work(tx: Block) -> None:
        tries.append(1)
        insert(db, 1)
        if len(tries) == 1:
            proxy.on(b"rollback to savepoint", "cut before")
        with pytest.raises(KeyError), db.transaction():
            raise KeyError

    db.run(work)

    assert len(tries) == 2
    assert ids(observer) == [1]


def test_lost_commit_of_a_reader_lost_nothing(open_db: OpenDb, proxy: Proxy) -> None:
    db = open_db(proxy)
    proxy.on(b"commit", "cut behind")

    with pytest.raises(Disconnected) as caught, db.transaction(read_only=True) as tx:
        tx.execute("select 1")

    assert caught.value.retryable


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
def test_interruption_rolls_back(open_db: OpenDb, observer: Observer, interruption: type[BaseException]) -> None:
    db = open_db(max_connections=1)

    def interrupt() -> None:
        with db.transaction():
            insert(db, 1)
            raise interruption

    with pytest.raises(interruption):
        interrupt()

    assert ids(observer) == []
    assert db.statistics().idle == 1


def test_ctrl_c_during_a_statement_rolls_back(open_db: OpenDb, observer: Observer) -> None:
    db = open_db(max_connections=1)
    timer = threading.Timer(0.2, os.kill, (os.getpid(), 2))

    def work() -> None:
        with db.transaction() as tx:
            insert(db, 1)
            timer.start()
            tx.execute("select pg_sleep(4)")

    with pytest.raises(KeyboardInterrupt):
        work()

    insert_all(db, 2)
    assert ids(observer) == [2]


def test_generator_that_is_closed_rolls_back(open_db: OpenDb, observer: Observer) -> None:
    db = open_db(max_connections=1)

    def steps() -> Iterator[int]:
        with db.transaction():
            insert(db, 1)
            yield 1

    generator = steps()
    next(generator)
    generator.close()

    insert_all(db, 2)
    assert ids(observer) == [2]


def test_nested_block_is_undone_alone(open_db: OpenDb, observer: Observer) -> None:
    """W-R23: a nested call took a second connection."""
    db = open_db(max_connections=1)
    with db.transaction():
        insert(db, 1)
        with pytest.raises(Duplicate):
            insert_all(db, 2, 2)
        insert_all(db, 3)
        with pytest.raises(LookupError):
            insert_and_fail(db, 4)

    assert ids(observer) == [1, 3]


def test_error_swallowed_in_a_nested_block_undoes_it_alone(open_db: OpenDb, observer: Observer) -> None:
    db = open_db(max_connections=1)

    def swallow() -> None:
        with db.transaction():
            insert(db, 2)
            with pytest.raises(Duplicate):
                insert(db, 2)

    with db.transaction():
        insert(db, 1)
        with pytest.raises(TransactionAborted) as caught:
            swallow()

    assert isinstance(caught.value.__cause__, Duplicate)
    assert ids(observer) == [1]


def test_nested_block_in_a_failed_transaction_says_why(open_db: OpenDb) -> None:
    db = open_db()

    def go_on() -> None:
        with db.transaction():
            with pytest.raises(Duplicate):
                insert(db, insert(db, 1) or 1)
            insert_all(db, 2)

    with pytest.raises(TransactionAborted) as caught:
        go_on()

    assert isinstance(caught.value.__cause__, Duplicate)


def test_timeouts_of_a_nested_block_end_with_it(open_db: OpenDb) -> None:
    db = open_db(lock_timeout_s=9)

    def limits(tx: Block) -> Any:
        return tx.execute("select current_setting('lock_timeout'), current_setting('statement_timeout')").fetchone()

    with db.transaction(statement_timeout_s=8) as tx:
        outer = limits(tx)
        with db.transaction(lock_timeout_s=1, statement_timeout_s=2) as nested:
            inner = limits(nested)
        after = limits(tx)
    with db.transaction() as tx:
        next_one = limits(tx)

    assert (outer, inner, after, next_one) == (("9s", "8s"), ("1s", "2s"), ("9s", "8s"), ("9s", "5s"))


def test_hooks_run_after_commit_with_the_connection_back(open_db: OpenDb, observer: Observer) -> None:
    db = open_db(max_connections=1)
    seen: list[Any] = []

    with db.transaction() as tx:
        insert(db, 1)
        tx.on_commit(lambda: seen.append(ids(observer)))
        tx.on_commit(lambda: insert_all(db, 2))
        with db.transaction() as nested:
            nested.on_commit(lambda: seen.append("nested"))
        with pytest.raises(LookupError):
            insert_and_fail(db, 4, hook=lambda: seen.append("undone"))
        assert seen == []

    assert seen == [[1], "nested"]
    assert ids(observer) == [1, 2]


def test_hook_that_fails_stops_no_other_and_says_that_all_is_stored(open_db: OpenDb, observer: Observer) -> None:
    db = open_db()
    seen: list[str] = []

    def work(tx: Block) -> None:
        insert(db, 1)
        tx.on_commit(lambda: insert_all(db, 1))
        tx.on_commit(lambda: seen.append("second"))

    with pytest.raises(Duplicate) as caught:
        db.run(work)

    assert caught.value.__notes__ == ["raised by an on_commit hook: the transaction is committed"]
    assert seen == ["second"]
    assert ids(observer) == [1]


def test_work_is_not_run_again_for_a_hook_that_lost_a_race(open_db: OpenDb, observer: Observer) -> None:
    db = open_db()

    def lose() -> None:
        raise Conflict("in another transaction")

    def work(tx: Block) -> None:
        tx.execute("insert into t select coalesce(max(id), 0) + 1 from t")
        tx.on_commit(lose)

    with pytest.raises(Conflict):
        db.run(work)

    assert ids(observer) == [1]


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
def test_isolation_is_the_one_asked_for(open_db: OpenDb, isolation: Any) -> None:
    """W-R23."""
    with open_db().transaction(isolation=isolation, read_only=True, deferrable=True) as tx:
        names = ("transaction_isolation", "transaction_read_only", "transaction_deferrable")
        found = [tx.execute("select current_setting(%s)", [name]).fetchone() for name in names]

    assert found == [(isolation,), ("on",), ("on",)]


def test_durable_waits_for_the_disk_and_is_never_nested(open_db: OpenDb, target: Any) -> None:
    db = open_db(conninfo=target.with_parameters(options="-c synchronous_commit=off"))

    with db.transaction(durable=True) as tx:
        durable = tx.execute("select current_setting('synchronous_commit')").fetchone()
        with pytest.raises(UsageError, match="belong to the outermost"):
            db.transaction(durable=True)
    with db.transaction() as tx:
        usual = tx.execute("select current_setting('synchronous_commit')").fetchone()

    assert (durable, usual) == (("on",), ("off",))


def test_run_repeats_what_lost_a_race(open_db: OpenDb, observer: Observer) -> None:
    """W-R23: no retry on 40001."""
    db = open_db()
    observer.run("insert into t values (1, 'old')")
    tries: list[int] = []

    def work(tx: Block) -> str:
        tries.append(1)
        tx.execute("select note from t where id = 1")
        if len(tries) == 1:
            observer.run("update t set note = 'theirs'")
        tx.execute("update t set note = note || ' and ours'")
        return "done"

    assert db.run(work, isolation="serializable") == "done"
    assert len(tries) == 2
    assert observer.rows("select note from t") == [("theirs and ours",)]


def test_run_gives_up_with_the_last_error(open_db: OpenDb, observer: Observer) -> None:
    db = open_db()
    observer.run("insert into t values (1, 'old')")
    tries: list[int] = []

    def work(tx: Block) -> None:
        tries.append(1)
        tx.execute("select note from t where id = 1")
        observer.run("update t set note = note || '.'")
        tx.execute("update t set note = 'ours'")

    with pytest.raises(Conflict) as caught:
        db.run(work, attempts=2, isolation="repeatable read")

    assert (caught.value.sqlstate, caught.value.retryable, len(tries)) == ("40001", True, 2)


def test_run_repeats_what_lost_its_connection_before_commit(open_db: OpenDb, observer: Observer, proxy: Proxy) -> None:
    db = open_db(proxy, max_connections=1)
    proxy.on(b"commit", "cut before")

    db.run(lambda _: insert(db, 1))

    assert ids(observer) == [1]


def test_run_inside_a_transaction_leaves_the_retry_to_it(open_db: OpenDb, observer: Observer) -> None:
    db = open_db()
    observer.run("insert into t values (1, 'old')")
    inner: list[int] = []

    def nested(tx: Block) -> None:
        inner.append(1)
        if len(inner) == 1:
            observer.run("update t set note = 'theirs'")
        tx.execute("update t set note = note || ' and ours'")

    db.run(lambda _: db.run(nested), isolation="repeatable read")

    assert len(inner) == 2
    assert observer.rows("select note from t") == [("theirs and ours",)]


def test_begin_with_its_timeouts_and_commit_take_one_round_trip_each(open_db: OpenDb, proxy: Proxy) -> None:
    db = open_db(proxy)
    with db.connection() as connection:
        connection.execute("select 1")
    before = proxy.flights

    with db.transaction(lock_timeout_s=1, statement_timeout_s=2) as tx:
        tx.execute("select 1")
        tx.execute("select 2")

    assert proxy.flights - before == 4


def test_thread_that_inherits_the_context_gets_an_error_and_no_connection(open_db: OpenDb) -> None:
    db = open_db()

    async def work() -> None:
        with db.transaction():
            await asyncio.to_thread(insert, db, 1)

    with pytest.raises(UsageError, match="another one's transaction"):
        asyncio.run(work())


def test_task_that_inherits_the_context_gets_an_error_and_no_connection(open_db: OpenDb, observer: Observer) -> None:
    """A transaction that is shared by mistake commits half of somebody else's work."""
    db = open_db()

    async def do(number: int) -> None:
        insert(db, number)

    async def work() -> None:
        with db.transaction():
            await do(1)
            with pytest.raises(UsageError, match="another one's transaction"):
                await asyncio.create_task(do(2))

    asyncio.run(work())

    assert ids(observer) == [1]


def test_threads_have_transactions_of_their_own(open_db: OpenDb, observer: Observer) -> None:
    db = open_db()

    def insert_elsewhere() -> None:
        with ThreadPoolExecutor(1) as threads:
            threads.submit(insert_all, db, 2).result(5)

    with pytest.raises(LookupError):
        insert_and_fail(db, 1, also=insert_elsewhere)

    assert ids(observer) == [2]


def test_child_of_a_fork_is_outside_the_transaction(open_db: OpenDb, observer: Observer) -> None:
    db = open_db()
    with db.transaction():
        insert(db, 1)
        child = os.fork()
        if child == 0:
            try:
                insert_all(db, 2)
                db.close(drain_s=0)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert ids(observer) == [2]

    assert ids(observer) == [1, 2]


def test_driver_error_keeps_its_meaning_when_it_leaves_the_block(open_db: OpenDb) -> None:
    db = open_db(max_connections=1)

    with pytest.raises(StatementTimeout), db.transaction(statement_timeout_s=0.1) as tx:
        tx.connection.execute("select pg_sleep(2)")
    with pytest.raises(Disconnected) as caught, db.transaction() as tx:
        tx.connection.execute("select pg_terminate_backend(pg_backend_pid())")

    assert (caught.value.outcome, caught.value.retryable) == (Outcome.ROLLED_BACK, True)


def test_loss_of_another_connection_says_nothing_about_ours(open_db: OpenDb, target: Any) -> None:
    db = open_db()

    with psycopg.connect(target.reveal()) as other, pytest.raises(Disconnected) as caught, db.transaction():
        other.execute("select pg_terminate_backend(pg_backend_pid())")

    assert caught.value.outcome is Outcome.UNKNOWN


def test_cause_is_the_error_that_aborted_and_not_one_that_was_dealt_with(open_db: OpenDb) -> None:
    db = open_db()

    def swallow() -> None:
        with db.transaction() as tx:
            with pytest.raises(psycopg.Error), tx.connection.transaction():
                tx.connection.execute("select * from dealt_with")
            with pytest.raises(Duplicate):
                tx.execute("insert into t values (1), (1)")
            with pytest.raises(TransactionAborted):
                tx.execute("select 1")

    with pytest.raises(TransactionAborted) as caught:
        swallow()

    assert isinstance(caught.value.__cause__, Duplicate)


def test_block_that_outlives_its_transaction_touches_no_connection(open_db: OpenDb, observer: Observer) -> None:
    db = open_db(max_connections=1)

    def steps() -> Iterator[None]:
        with db.transaction():
            yield

    with db.transaction():
        insert(db, 1)
        late = steps()
        next(late)
    with db.transaction():
        late.close()
        insert(db, 2)
    assert ids(observer) == [1, 2]


@pytest.mark.parametrize(
    "options",
    [
        {"isolation": "serializable; drop table t"},
        {"lock_timeout_s": 0},
        {"statement_timeout_s": -1},
        {"statement_timeout_s": float("inf")},
        {"statement_timeout_s": float("nan")},
    ],
)
def test_option_that_makes_no_sense_is_refused_by_name(open_db: OpenDb, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(options))):
        open_db().transaction(**options)


def test_block_that_is_over_touches_no_connection(open_db: OpenDb) -> None:
    with open_db().transaction() as tx:
        pass

    for use in (lambda: tx.execute("select 1"), lambda: tx.on_commit(print), tx.__enter__):
        with pytest.raises(UsageError):
            use()


def test_commit_by_hand_is_an_error(open_db: OpenDb) -> None:
    db = open_db()

    with pytest.raises(UsageError, match="ended its own transaction"), db.transaction() as tx:
        tx.execute("commit")

    insert_all(db, 2)


def test_statement_deadline_of_a_transaction_is_kept_on_a_dark_wire(open_db: OpenDb, proxy: Proxy) -> None:
    db = open_db(proxy, max_connections=1, statement_timeout_s=30)
    proxy.on(b"select 'now'", "dark before")
    started = monotonic()

    with pytest.raises(StatementTimeout) as caught, db.transaction(statement_timeout_s=0.3) as tx:
        tx.execute("select 'now'")

    assert monotonic() - started < 1.5
    assert caught.value.outcome is Outcome.ROLLED_BACK


def test_lost_commit_on_a_silent_wire_is_settled_and_its_locks_are_freed(
    open_db: OpenDb, observer: Observer, proxy: Proxy
) -> None:
    db = open_db(proxy, max_connections=1, statement_timeout_s=0.3, idle_in_transaction_timeout_s=30)
    proxy.on(b"commit", "lost before")

    with pytest.raises(Disconnected, match="was rolled back"):
        insert_all(db, 1)

    assert ids(observer) == []
    until(lambda: len(observer.backends()) <= 1)


def test_lock_timeout_is_told(open_db: OpenDb, observer: Observer) -> None:
    db = open_db()
    observer.run("begin; lock table t")

    try:
        with pytest.raises(LockTimeout) as caught, db.transaction(lock_timeout_s=0.1) as tx:
            tx.execute("select * from t")
    finally:
        observer.run("rollback")

    assert caught.value.sqlstate == "55P03"


def test_value_of_a_row_is_in_no_message(open_db: OpenDb) -> None:
    db = open_db()
    canary = "+7 000 123 00 22"
    statements = [
        "insert into c (phone) values (%s), (%s)",
        "select %s::int + 0 * length(%s)",
        "select %s::jsonb, %s::text",
        "insert into c values (%s, -1, %s)",
        "insert into c (phone, note) values (%s || '1', (select null where %s <> ''))",
    ]
    with db.connection() as connection:
        connection.execute(
            "create table c (phone text primary key, n int default 1 check (n > 0), note text not null default '')"
        )

    def refuse(statement: str) -> Exception:
        with pytest.raises(Exception) as caught, db.connection() as connection:  # noqa: PT011
            connection.execute(statement, [canary, canary])
        return caught.value

    errors = [refuse(statement) for statement in statements]

    assert [type(error).__name__ for error in errors] == [
        "Duplicate",
        "InvalidData",
        "InvalidData",
        "CheckFailed",
        "NullNotAllowed",
    ]
    assert not any("900" in str(error) or "900" in repr(error) for error in errors)
