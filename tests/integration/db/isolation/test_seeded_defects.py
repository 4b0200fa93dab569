"""The check would notice: runtimes that are wrong on purpose are all found out."""

from collections.abc import Callable
from contextlib import suppress

import psycopg
import pytest
from tests.integration.db.conftest import Observer, until
from tests.integration.db.isolation.checker import FORBIDDEN, Kind, kinds
from tests.integration.db.isolation.history import Append, Operation, Told
from tests.integration.db.isolation.workload import APPEND, Plan, Recorder, Workload, collect, prepare

from trueup.conninfo import ConnInfo
from trueup.db import Database, connect
from trueup.db.block import Isolation
from trueup.errors import Conflict, DatabaseError
from trueup.testing.faults import Proxy

pytestmark = pytest.mark.parametrize("own_server", ["embedded:18"], indirect=True, ids=["pg18"])

OpenDb = Callable[..., Database]


def observe(workload: Workload, open_db: OpenDb, target: ConnInfo, *, goal: int = 200) -> set[Kind]:
    """Return the kinds of anomaly that a workload shows when nothing breaks."""
    prepare(target, goal)
    recorder = Recorder()
    workload.run(open_db(max_connections=6), recorder, lambda: recorder.committed >= goal, seed=1)
    return kinds(collect(target, recorder))


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_repeating_the_last_statement_alone_is_found(open_db: OpenDb, target: ConnInfo, level: Isolation) -> None:
    """The rest of the work was rolled back with the transaction that lost the race."""

    def resume(db: Database, plan: Plan, recorder: Recorder) -> None:
        log: list[Operation] = []
        rest = list(plan.steps)
        for _ in range(8):
            mark = len(log)
            try:
                with db.transaction(isolation=level) as block:
                    while rest:
                        mark = len(log)
                        Workload().perform(db, block, (rest[0],), log, recorder)
                        rest.pop(0)
            except Conflict:
                del log[mark:]
            else:
                recorder.add(Told.COMMITTED, log)
                recorder.endings["committed"] += 1
                return

    found = observe(Workload(runner=resume), open_db, target)

    assert found & {Kind.LOST, Kind.LOST_UPDATE, Kind.G_SINGLE}


@pytest.mark.parametrize(
    ("asked", "given"),
    [("serializable", "read committed"), ("serializable", "repeatable read"), ("repeatable read", "read committed")],
)
def test_weaker_level_than_asked_for_is_found(
    open_db: OpenDb, target: ConnInfo, asked: Isolation, given: Isolation
) -> None:
    found = observe(Workload(isolation=given), open_db, target)

    assert found & FORBIDDEN[asked]
    assert not found & FORBIDDEN[given]


def test_lost_lock_is_found(open_db: OpenDb, target: ConnInfo) -> None:
    """Read committed: who reads a row to write it back has to lock it."""
    found = observe(Workload(doings=("rewrite",), is_locking=False), open_db, target, goal=60)

    assert found >= {Kind.LOST, Kind.LOST_UPDATE}


def test_rows_that_are_locked_first_lose_no_update(open_db: OpenDb, target: ConnInfo) -> None:
    found = observe(Workload(doings=("rewrite",)), open_db, target, goal=60)

    assert not found & (FORBIDDEN["read committed"] | {Kind.LOST_UPDATE})


def test_blind_repetition_of_a_lost_commit_is_found(open_db: OpenDb, target: ConnInfo, proxy: Proxy) -> None:
    """A COMMIT without an answer may have happened."""
    prepare(target, 0)
    recorder = Recorder()

    def store() -> None:
        append = Append(1, next(recorder.values))
        for _ in range(3):
            with suppress(psycopg.OperationalError), psycopg.connect(proxy.through(target).reveal()) as connection:
                connection.execute(APPEND, [append.key, append.value])
                connection.commit()
                break
        recorder.add(Told.COMMITTED, [append])

    for number in range(20):
        if number % 4 == 0:
            proxy.on(b"COMMIT", "cut behind")
        store()

    assert kinds(collect(target, recorder)) == {Kind.DUPLICATE}


def test_commit_of_a_failed_transaction_is_found(target: ConnInfo) -> None:
    """The server answers ROLLBACK, and the driver reports nothing."""
    prepare(target, 0)
    recorder = Recorder()
    with connect(target) as connection:
        for _ in range(5):
            append = Append(1, next(recorder.values))
            connection.execute("begin")
            connection.execute(APPEND, [append.key, append.value])
            with suppress(psycopg.Error):
                connection.execute("select 1 / 0")
            connection.execute("commit")
            recorder.add(Told.COMMITTED, [append])

    assert kinds(collect(target, recorder)) == {Kind.LOST}


def test_lost_commit_that_is_taken_for_rolled_back_is_found(
    open_db: OpenDb, target: ConnInfo, proxy: Proxy, observer: Observer
) -> None:
    prepare(target, 0)
    recorder = Recorder()
    db = open_db(proxy)
    append = Append(1, next(recorder.values))
    proxy.on(b"commit", "cut behind")
    with suppress(DatabaseError), db.transaction() as tx:
        tx.execute(APPEND, [append.key, append.value])
    recorder.add(Told.ROLLED_BACK, [append])
    db.close(drain_s=1)
    until(lambda: observer.backends() == [])

    assert kinds(collect(target, recorder)) == {Kind.RESURRECTED}
