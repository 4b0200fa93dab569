"""Every point of a transaction x every fault x pools of 1 and 3: what is reported is what an observer finds."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest
from tests.integration.db.conftest import Observer, until

from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.db.connection import connect
from trueup.errors import (
    CommitUnknown,
    Conflict,
    DatabaseError,
    Disconnected,
    LockTimeout,
    Outcome,
    StatementTimeout,
)
from trueup.servers import EmbeddedServer
from trueup.testing.faults import Action, Proxy

OpenDb = Callable[..., Database]

POINTS = {
    "begin": b"begin",
    "first statement": b"/* first */",
    "last statement": b"/* last */",
    "commit sent": b"commit",
    "commit answered": b"commit",
    "rollback": b"rollback",
}
"""The bytes by which the wire knows where a transaction is."""


class Rolled(Exception):
    """Is what the caller raises to roll back."""


def work(db: Database, point: str, *, begun: Callable[[], object] = lambda: None) -> None:
    with db.transaction(isolation="repeatable read") as tx:
        begun()
        tx.execute("/* first */ insert into t (id) values (1)")
        tx.execute("/* last */ insert into t (id) values (2)")
        if point == "rollback":
            raise Rolled


def judge(error: BaseException | None, observer: Observer) -> str:
    """Return what the caller was told, having checked that it is the truth."""
    stored = [found for (found,) in observer.rows("select id from t where id in (1, 2) order by id")]
    if error is None:
        assert stored == [1, 2], "it was told that all is stored"
        return "committed"
    if isinstance(error, Rolled):
        assert stored == []
        return "rolled back as asked"
    assert isinstance(error, DatabaseError), error
    if isinstance(error, CommitUnknown):
        assert stored in ([], [1, 2])
        return "unknown"
    assert error.outcome is not Outcome.UNKNOWN, error
    assert stored == [], error
    return type(error).__name__


def assert_fit(db: Database, size: int) -> None:
    """Check that no slot is lost, and that the next transactions work, as many at a time as there are slots."""
    barrier = threading.Barrier(size)

    def next_one(number: int) -> None:
        with db.transaction() as tx:
            barrier.wait(10)
            tx.execute("insert into t (id) values (%s)", [number])

    with ThreadPoolExecutor(size) as threads:
        for done in [threads.submit(next_one, 100 + number) for number in range(size)]:
            done.result(10)
    until(lambda: db.statistics().leaving == 0)
    statistics = db.statistics()
    assert (statistics.in_use, statistics.idle, statistics.opening) == (0, size, 0)


def caught(call: Callable[[], object]) -> BaseException | None:
    try:
        call()
    except Exception as error:  # noqa: BLE001
        return error
    return None


@pytest.fixture(params=[1, 3], ids=["pool of 1", "pool of 3"])
def size(request: pytest.FixtureRequest) -> int:
    found: int = request.param
    return found


def warm(db: Database) -> Database:
    with db.transaction() as tx:
        tx.execute("select 1")
    return db


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("fault", ["cut", "lost"])
def test_wire(open_db: OpenDb, observer: Observer, proxy: Proxy, size: int, point: str, fault: str) -> None:
    """W-R18, W-R19, W-R20, W-R21."""
    db = warm(open_db(proxy, max_connections=size, statement_timeout_s=0.4))
    action: Action = f"{fault} before"  # type: ignore[assignment]
    if point == "commit answered":
        action = "cut behind" if fault == "cut" else "lost after"
    proxy.on(POINTS[point], action)

    told = judge(caught(lambda: work(db, point)), observer)

    expected = {
        "begin": "committed" if fault == "cut" else "StatementTimeout",
        "first statement": "Disconnected" if fault == "cut" else "StatementTimeout",
        "last statement": "Disconnected" if fault == "cut" else "StatementTimeout",
        "commit sent": "Disconnected",
        "commit answered": "committed",
        "rollback": "rolled back as asked",
    }
    assert told == expected[point]
    assert proxy.pending == (), "the fault happened"
    assert_fit(db, size)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("fault", ["terminated", "server restarted", "server crashed"])
def test_backend(
    open_db: OpenDb, observer: Observer, own_server: EmbeddedServer, proxy: Proxy, size: int, point: str, fault: str
) -> None:
    db = warm(open_db(proxy, max_connections=size, statement_timeout_s=3))

    struck = threading.Event()

    def strike() -> None:
        if fault == "terminated":
            observer.run(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name ~ '^svc:'"
            )
        else:
            own_server.restart("fast" if fault == "server restarted" else "immediate")
        struck.set()

    if point == "commit answered":
        proxy.after(POINTS[point], lambda: (strike(), proxy.cut()))
    else:
        proxy.before(POINTS[point], strike)

    error = caught(lambda: work(db, point))
    assert struck.wait(30), "the fault happened"
    told = judge(error, observer)

    if point in ("begin", "commit answered"):
        assert told == "committed"
    elif point == "rollback":
        assert told == "rolled back as asked"
    else:
        assert told == "Disconnected"
    assert_fit(db, size)


FAULTS = ["statement timeout", "lock timeout", "deadlock", "serialization failure"]


@pytest.mark.parametrize("point", ["first statement", "last statement", "commit sent"])
@pytest.mark.parametrize("fault", FAULTS)
def test_refusal(open_db: OpenDb, observer: Observer, target: ConnInfo, size: int, point: str, fault: str) -> None:
    """The server refuses a statement, or COMMIT: a trigger on the row, deferred or not, meets a rival."""
    db = open_hasty(open_db, size, fault)
    kind = refuse(observer, fault, row=1 if point == "first statement" else 2, at_commit=point == "commit sent")

    with rival(target, fault) as interfere:
        told = judge(caught(lambda: work(db, point, begun=interfere)), observer)

    if (fault, point) == ("statement timeout", "commit sent"):
        kind = Disconnected  # The server doesn't time COMMIT: the client gives the connection up, and asks.
    assert told == kind.__name__
    observer.run("drop function refuse cascade")
    assert_fit(db, size)


@pytest.mark.parametrize("point", ["begin", "commit answered", "rollback"])
@pytest.mark.parametrize("fault", FAULTS)
def test_refusal_beside(
    open_db: OpenDb, observer: Observer, target: ConnInfo, size: int, point: str, fault: str
) -> None:
    """The server refuses what came right before BEGIN, what a hook does right behind COMMIT, or what is rolled back.

    BEGIN and ROLLBACK take no lock and read no row, and an answered COMMIT is over: none of them can be refused itself.
    """
    db = open_hasty(open_db, size, fault)
    kind = refuse(observer, fault, row=REFUSED)

    with rival(target, fault) as interfere:
        if point == "begin":
            assert type(caught(lambda: be_refused(db, interfere))) is kind
            told = judge(caught(lambda: work(db, point)), observer)
        elif point == "commit answered":
            failed = caught(lambda: work_with_hook(db, lambda: be_refused(db, interfere)))
            assert type(failed) is kind
            assert failed.__notes__ == ["raised by an on_commit hook: the transaction is committed"]
            told = judge(None, observer)
        else:
            told = judge(caught(lambda: be_refused_and_roll_back(db, interfere)), observer)

    assert told == ("rolled back as asked" if point == "rollback" else "committed")
    observer.run("drop function refuse cascade")
    assert_fit(db, size)


REFUSED = 9


def be_refused(db: Database, interfere: Callable[[], object]) -> None:
    with db.transaction(isolation="repeatable read") as tx:
        interfere()
        tx.execute("insert into t (id) values (%s)", [REFUSED])


def work_with_hook(db: Database, hook: Callable[[], object]) -> None:
    with db.transaction() as tx:
        tx.execute("insert into t (id) values (1), (2)")
        tx.on_commit(hook)


def be_refused_and_roll_back(db: Database, interfere: Callable[[], object]) -> None:
    with db.transaction(isolation="repeatable read") as tx:
        interfere()
        tx.execute("insert into t (id) values (1)")
        with suppress(*{kind for kind, _ in REFUSALS.values()}):
            tx.execute("insert into t (id) values (%s)", [REFUSED])
        assert tx.connection.failure is not None, "the fault happened"
        raise Rolled


def open_hasty(open_db: OpenDb, size: int, fault: str) -> Database:
    """Return a pool whose limits let the fault, and no other one, happen."""
    statement_s, lock_s = 0.6 if fault == "statement timeout" else 10, 0.3 if fault == "lock timeout" else 10
    return warm(open_db(max_connections=size, statement_timeout_s=statement_s, lock_timeout_s=lock_s))


def refuse(observer: Observer, fault: str, *, row: int, at_commit: bool = False) -> type[DatabaseError]:
    """Let a row meet the fault when it is inserted, or at COMMIT; return the error that stands for it."""
    kind, body = REFUSALS[fault]
    deferred = "deferrable initially deferred" if at_commit else ""
    observer.run("create table contended (id int); insert into contended values (1)")
    observer.run(f"create function refuse() returns trigger language plpgsql as $$ begin {body}; return new; end $$")
    observer.run(
        f"create constraint trigger refuse after insert on t {deferred} for each row when (new.id = {row})"
        " execute function refuse()"
    )
    return kind


REFUSALS: dict[str, tuple[type[DatabaseError], str]] = {
    "statement timeout": (StatementTimeout, "perform pg_sleep(3)"),
    "lock timeout": (LockTimeout, "perform pg_advisory_xact_lock(1)"),
    "deadlock": (
        Conflict,
        "perform pg_advisory_xact_lock(2); perform pg_sleep(0.15); perform pg_advisory_xact_lock(1)",
    ),
    "serialization failure": (Conflict, "update contended set id = 2"),
}


@contextmanager
def rival(target: ConnInfo, fault: str) -> Iterator[Callable[[], object]]:
    """Hold another session, and give what it does once the transaction has begun."""
    with connect(target, application_name="rival") as other, ThreadPoolExecutor(1) as thread:
        other.execute("set deadlock_timeout = '20s'")  # so that it is never the victim
        other.execute("select pg_advisory_lock(1)")

        def take_the_other_lock() -> None:
            wanted = "select 1 from pg_locks where locktype = 'advisory' and objid = 2 and granted"
            until(lambda: other.execute(wanted).fetchone())
            other.execute("select pg_advisory_lock(2)")

        if fault == "deadlock":
            yield lambda: thread.submit(take_the_other_lock)
        elif fault == "serialization failure":
            yield lambda: other.execute("update contended set id = 3")
        else:
            yield lambda: None
