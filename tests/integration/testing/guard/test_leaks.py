"""What a test leaves is told on that test, with the line that opened it, and hurts no other test."""

import re
from pathlib import Path

import pytest
from tests.integration.testing.guard.suites import run_suite
from tests.integration.testing.projects import Ran

from trueup.servers import EmbeddedServer

LEAKS = """
import asyncio
import multiprocessing
import os
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ProcessPoolExecutor

import psycopg
import psycopg_pool
import pytest

from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.servers import EmbeddedServer
from trueup.settings import DatabaseSettings, Settings
from trueup.testing.guard.gate import gate
from trueup.testing.guard.leaks import check

KEPT = []
PATIENCE_S = check.PATIENCE_S


def settings(dsn):
    return DatabaseSettings(conninfo=ConnInfo.parse(dsn), service="crm")


def test_fails_first(dsn):
    connection = psycopg.connect(dsn)
    connection.execute("select pg_advisory_lock(42)")
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    raise RuntimeError("before all others")


def test_connection(dsn):
    KEPT.append(psycopg.connect(dsn))  # opened: connection


def test_after_connection():
    assert KEPT.pop().closed


def test_idle_in_transaction(dsn):
    connection = psycopg.connect(dsn)  # opened: idle
    connection.execute("create table if not exists held (n int)")
    connection.execute("lock table held")
    KEPT.append(connection)


def test_after_idle_in_transaction(dsn):
    with psycopg.connect(dsn, options="-c lock_timeout=20s") as connection:
        connection.execute("create table if not exists held (n int)")
        connection.execute("lock table held")


def test_advisory_lock(dsn):
    connection = psycopg.connect(dsn, autocommit=True)  # opened: advisory
    connection.execute("select pg_advisory_lock(42)")
    KEPT.append(connection)


def test_after_advisory_lock(dsn):
    with psycopg.connect(dsn) as connection:
        until = time.monotonic() + 20
        while not connection.execute("select pg_try_advisory_lock(42)").fetchone()[0]:
            assert time.monotonic() < until


def test_statement_in_a_thread(dsn):
    connection = psycopg.connect(dsn)  # opened: statement

    def work():
        try:
            connection.execute("select pg_sleep(60)")
        except psycopg.Error:
            pass

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    KEPT.append(thread)
    until = time.monotonic() + 20
    while connection.info.transaction_status != psycopg.pq.TransactionStatus.ACTIVE:
        assert time.monotonic() < until
    check.PATIENCE_S = 0.5  # The driver never sleeps for long.


def test_after_statement_in_a_thread():
    check.PATIENCE_S = PATIENCE_S
    thread = KEPT.pop()
    thread.join(20)
    assert not thread.is_alive()


def test_cycle(dsn):
    connection = psycopg.connect(dsn)  # opened: cycle
    connection.itself = connection


def test_async_connection(dsn):
    async def work():
        KEPT.append(await psycopg.AsyncConnection.connect(dsn))  # opened: async

    asyncio.run(work())


def test_bare_connection(dsn):
    KEPT.append(psycopg.pq.PGconn.connect(dsn.encode()))  # opened: bare


def test_asyncpg(dsn):
    asyncpg = pytest.importorskip("asyncpg")
    given = psycopg.conninfo.conninfo_to_dict(dsn)

    async def work():
        to = dict(host=given["host"], port=given["port"], user=given["user"], database=given["dbname"])
        KEPT.append(await asyncpg.connect(**to))  # opened: asyncpg

    asyncio.run(work())


def test_psycopg2(dsn):
    psycopg2 = pytest.importorskip("psycopg2")
    connection = psycopg2.connect(dsn)  # opened: psycopg2
    connection.cursor().execute("create table if not exists held (n int); lock table held")
    KEPT.append(connection)


def test_after_psycopg2():
    if sys.modules.get("psycopg2"):
        assert KEPT.pop().closed


def test_psycopg2_at_work_in_a_thread(dsn):
    psycopg2 = pytest.importorskip("psycopg2")
    connection = psycopg2.connect(dsn)  # opened: psycopg2

    def work():
        try:
            connection.cursor().execute("select pg_sleep(60)")
        except psycopg2.Error:
            pass

    KEPT.append(threading.Thread(target=work, daemon=True))
    KEPT[-1].start()
    until = time.monotonic() + 20
    while connection.info.transaction_status != psycopg.pq.TransactionStatus.ACTIVE:
        assert time.monotonic() < until


def test_after_psycopg2_at_work_in_a_thread():
    if sys.modules.get("psycopg2"):
        thread = KEPT.pop()
        thread.join(20)
        assert not thread.is_alive()


def test_pg8000(dsn):
    native = pytest.importorskip("pg8000.native")
    given = psycopg.conninfo.conninfo_to_dict(dsn)
    socket = f"{given['host']}/.s.PGSQL.{given['port']}"
    KEPT.append(native.Connection(given["user"], unix_sock=socket, database=given["dbname"]))  # opened: pg8000


def test_pool(dsn):
    pool = psycopg_pool.ConnectionPool(dsn, open=True)  # opened: pool
    KEPT.append((pool, pool.getconn()))  # taken: pool


def test_async_pool(dsn):
    async def work():
        pool = psycopg_pool.AsyncConnectionPool(dsn, open=False)
        await pool.open()  # opened: async pool
        KEPT.append((pool, await pool.getconn()))

    loop = asyncio.new_event_loop()  # asyncio.run would wait for the pool's tasks.
    KEPT.append(loop)
    loop.run_until_complete(work())


def test_database(dsn):
    database = Database(settings(dsn))  # opened: database
    database.transaction().__enter__()  # taken: database
    KEPT.append(database)


def test_database_that_was_never_used(dsn):
    KEPT.append(Database(settings(dsn)))


@pytest.fixture(scope="module")
def shared_pool(session_dsn):
    with psycopg_pool.ConnectionPool(session_dsn, open=False, min_size=1, max_size=2) as pool:
        yield pool


@pytest.fixture(scope="module")
def shared_database(session_dsn):
    with Database(settings(session_dsn)) as database:
        yield database


def test_checkout(shared_pool):
    KEPT.append(shared_pool.getconn())  # taken: checkout


def test_after_checkout(shared_pool):
    with shared_pool.connection(timeout=20) as one, shared_pool.connection(timeout=20) as two:
        one.execute("select 1"), two.execute("select 1")


def test_checkout_of_a_database(shared_database):
    checkout = shared_database.connection()
    checkout.__enter__()  # taken: database checkout
    KEPT.append(checkout)


def test_after_checkout_of_a_database(shared_database):
    assert shared_database.statistics().in_use == 0
    with shared_database.transaction():
        pass


def test_thread():
    stop = threading.Event()
    threading.Thread(target=stop.wait, name="worker", daemon=True).start()  # started: thread
    KEPT.append(stop)


def test_thread_that_is_just_ending():
    threading.Thread(target=threading.Event().wait, args=(0.05,)).start()


def test_thread_that_ends_when_its_work_is_done():
    def work():
        for _ in range(60):
            threading.Event().wait(0.01)

    threading.Thread(target=work).start()


def test_process_that_ends_when_its_work_is_done():
    KEPT.append(subprocess.Popen([sys.executable, "-c", "for n in range(3_000_000): pass"]))


def test_after_process_that_ends_when_its_work_is_done():
    assert KEPT.pop().wait(20) == 0


def test_process():
    KEPT.append(subprocess.Popen(["sleep", "60"]))  # started: process


def test_after_process():
    assert KEPT.pop().wait(20) != 0


def test_forked_process():
    pid = os.fork()  # started: fork
    if not pid:
        time.sleep(60)
        os._exit(0)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_process_of_multiprocessing(method):
    process = multiprocessing.get_context(method).Process(target=time.sleep, args=(60,))
    process.start()  # started: multiprocessing
    KEPT.append(process)


def test_after_process_of_multiprocessing():
    for process in KEPT[-2:]:
        process.join(20)
        assert process.exitcode == -15


@pytest.fixture(scope="module")
def executor():
    with ProcessPoolExecutor(1) as executor:
        yield executor


def test_processes_of_a_longer_lived_executor(executor):
    assert executor.submit(abs, -1).result() == 1


def test_server():
    server = EmbeddedServer(18, cache_folder=Settings.load().cache_folder)
    server.__enter__()  # started: server
    KEPT.append(server)


def test_after_server():
    assert not KEPT.pop()._run.folder.exists()


def test_everything_closed(dsn):
    with psycopg.connect(dsn) as connection, psycopg_pool.ConnectionPool(dsn, open=False) as pool:
        with pool.connection() as other, Database(settings(dsn)) as database, database.transaction():
            other.execute("select 1")
    subprocess.run(["true"], check=True)
"""
CLEAN = {
    "test_database_that_was_never_used",
    "test_thread_that_is_just_ending",
    "test_thread_that_ends_when_its_work_is_done",
    "test_process_that_ends_when_its_work_is_done",
    "test_everything_closed",
    "test_processes_of_a_longer_lived_executor",
}
TOLD = {
    "test_connection": "a connection is still open",
    "test_idle_in_transaction": "a connection is still open, idle in a transaction",
    "test_advisory_lock": "a connection is still open",
    "test_statement_in_a_thread": "a connection is still open, in the middle of a statement",
    "test_cycle": "a connection is still open",
    "test_async_connection": "a connection is still open",
    "test_bare_connection": "a connection is still open",
    "test_asyncpg": "a connection is still open",
    "test_psycopg2": "a connection is still open, idle in a transaction",
    "test_psycopg2_at_work_in_a_thread": "a connection is still open, in the middle of a statement",
    "test_pg8000": "a connection is still open",
    "test_pool": "the ConnectionPool 'pool-1' was never closed",
    "test_async_pool": "was never closed",
    "test_database": "a Database of postgresql://",
    "test_checkout": "a connection was not given back to the pool",
    "test_checkout_of_a_database": "was not given back to its pool",
    "test_thread": "the daemon thread 'worker' still runs",
    "test_process": "(sleep) still runs",
    "test_forked_process": "still runs",
    "test_process_of_multiprocessing[spawn]": "still runs",
    "test_process_of_multiprocessing[forkserver]": "still runs",
    "test_server": "an EmbeddedServer was started and never closed",
}


@pytest.fixture(params=[(), pytest.param(("-n", "2"), marks=pytest.mark.long)], ids=["alone", "xdist"])
def options(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return request.param


def test_leak_of_each_kind_is_told_on_its_test_with_the_line_and_ended(
    suite, witness, options: tuple[str, ...]
) -> None:
    together = ("--dist", "loadfile", *options) if options else ()
    outcome = suite.run(LEAKS, "-W", "ignore", *together)

    assert witness("select application_name from pg_stat_activity where datname = 'owned'") == []
    missing = {name for name in TOLD if outcome.results[name] == "skipped"}
    assert missing <= {"test_asyncpg", "test_psycopg2", "test_psycopg2_at_work_in_a_thread", "test_pg8000"}
    for name, words in [(name, words) for name, words in TOLD.items() if name not in missing]:
        assert outcome.results[name] == "error", (name, outcome.texts[name])
        assert words in outcome.texts[name], name
        assert f"in {name.partition('[')[0]}" in outcome.texts[name] or " in work: " in outcome.texts[name], (
            outcome.texts[name]
        )
        assert re.search("# (opened|taken|started): ", outcome.texts[name]) or "async" in name, outcome.texts[name]
    assert outcome.results["test_fails_first"] == "failed"
    others = set(outcome.results) - set(TOLD) - {"test_fails_first"}
    assert others >= CLEAN
    assert {name: outcome.results[name] for name in others} == dict.fromkeys(others, "passed"), outcome.printed
    assert "taken: pool" in outcome.texts["test_pool"]
    assert "taken: database" in outcome.texts["test_database"]


FAILED = """
import psycopg
import pytest

def test_setting_the_scene(dsn):
    with psycopg.connect(dsn) as connection:
        connection.execute("create table if not exists held (n int)")

def test_fails(dsn):
    connection = psycopg.connect(dsn)  # opened: fails
    connection.execute("lock table held")
    assert False, "the message of the test"

def test_next_is_not_held_up(dsn):
    with psycopg.connect(dsn, options="-c lock_timeout=20s") as connection:
        connection.execute("lock table held")

def test_next_leaks(dsn):
    globals()["kept"] = psycopg.connect(dsn)  # opened: next

@pytest.mark.xfail(strict=True)
def test_expected_failure(dsn):
    connection = psycopg.connect(dsn)
    assert False

@pytest.fixture
def broken(dsn):
    connection = psycopg.connect(dsn)
    raise ValueError

def test_broken_fixture(broken):
    pass

@pytest.fixture
def broken_end(dsn):
    connection = psycopg.connect(dsn)  # opened: broken end
    yield
    raise ValueError(connection.closed)

def test_broken_end(broken_end):
    pass
"""
LONGER_LIVED = """
import threading

import psycopg
import pytest

KEPT = []

@pytest.fixture(scope="module")
def forgets(session_dsn):
    KEPT.append(psycopg.connect(session_dsn))  # opened: forgets
    return KEPT[0]

@pytest.fixture(scope="class")
def waits():
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    yield stop
    stop.set()
    thread.join()

@pytest.mark.usefixtures("waits")
class TestOne:
    def test_uses(self, forgets):
        assert forgets.execute("select 1").fetchone() == (1,)

    def test_uses_again(self, forgets):
        forgets.rollback()

def test_last(forgets):
    forgets.rollback()
"""
EXECUTOR = """
from concurrent.futures import ThreadPoolExecutor

import pytest

@pytest.fixture(scope="module")
def executor():
    with ThreadPoolExecutor(1) as executor:
        yield executor

def test_submits(executor):
    assert executor.submit(int).result() == 0

def test_forgets_its_own():
    executor = ThreadPoolExecutor(1)
    executor.submit(int).result()
    globals()["kept"] = executor
"""
REPEATED = """
import contextlib

import psycopg
import pytest

pytestmark = pytest.mark.flaky(reruns=1)

KEPT, TIMES = [], []

def test_leaks_once(dsn):
    TIMES.append(1)
    connection = psycopg.connect(dsn)
    KEPT.append(connection)
    assert len(TIMES) > 1
    connection.close()

def test_refused_once():
    TIMES.append(2)
    if TIMES.count(2) == 1:
        with contextlib.suppress(Exception):
            psycopg.connect("host=127.0.0.1 port=1")
        assert False

def test_leaks_always_after_a_failure(dsn):
    TIMES.append(3)
    KEPT.append(psycopg.connect(dsn))
    assert TIMES.count(3) > 1
"""
FORGOTTEN = """
import psycopg

def test_passes(dsn):
    with psycopg.connect(dsn) as connection:
        connection.execute("select 1")

def test_asks_wrongly(dsn):
    with psycopg.connect(dsn) as connection:
        connection.execute("select nothing")
"""
LAST = """
import atexit
import os
import pathlib
import threading
import time

import psycopg
import psycopg_pool

KEPT = []
HERE = pathlib.Path(__file__).parent

def test_leaves_everything(dsn):
    threading.Thread(target=threading.Event().wait).start()
    KEPT.append(psycopg.connect(dsn))
    KEPT.append(psycopg_pool.ConnectionPool(dsn, open=True))
    KEPT.append(threading.Timer(60, print))
    KEPT[-1].start()
    atexit.register(lambda: (HERE / "ended").write_text(str(time.time())))

def test_is_the_last():
    (HERE / "last").write_text(str(time.time()))
"""
TELL_WHAT_IS_LEFT = """
from pathlib import Path

from trueup.testing.guard.watch import OWNER


def pytest_sessionfinish(session):
    Path("left").write_text(str([item.name for item in session.items if OWNER in item.stash]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("leaks")


@pytest.fixture(scope="module")
def ran(folder: Path, server18: EmbeddedServer) -> Ran:
    """Return what became of all these tests in one run; what it leaves to its end is left by the last."""
    modules = {
        "test_executor": EXECUTOR,
        "test_failed": FAILED,
        "test_forgotten": FORGOTTEN,
        "test_longer_lived": LONGER_LIVED,
        "test_repeated": REPEATED,
        "test_then_last": LAST,
    }
    return run_suite(folder, server18, modules, more=TELL_WHAT_IS_LEFT)


def test_failed_test_keeps_its_connection_by_its_traceback_and_hurts_nobody(ran: Ran) -> None:
    """A failure's traceback holds the frames, and those the connection with its locks."""
    assert ran.of("test_failed") == {
        "test_setting_the_scene": "passed",
        "test_fails": "failed",
        "test_next_is_not_held_up": "passed",
        "test_next_leaks": "error",
        "test_expected_failure": "skipped",
        "test_broken_fixture": "error",
        "test_broken_end": "error",
    }
    told = ran.printed.partition("_ test_fails _")[2].partition("\n____")[0]
    assert "the message of the test" in ran.texts["test_fails"]
    assert "# opened: fails" in told
    assert "idle in a transaction" in told
    assert "# opened: next" in ran.texts["test_next_leaks"]
    assert "ValueError: False" in ran.texts["test_broken_end"]


def test_leak_of_a_longer_lived_fixture_is_told_with_its_name(ran: Ran) -> None:
    found = ran.of("test_longer_lived")
    assert found == {"test_uses": "passed", "test_uses_again": "passed", "test_last": "error"}
    assert 'the fixture "forgets" of test_longer_lived.py left behind:' in ran.texts["test_last"]
    assert "# opened: forgets" in ran.texts["test_last"]


def test_pytest_exits_within_a_second_of_its_last_test(ran: Ran, folder: Path) -> None:
    """W-T12: what an import or a test left running kept the process for ever."""
    assert ran.status == 1
    # It takes less than a second where the machine has nothing else to do; the timer has a minute.
    assert float((folder / "ended").read_text()) - float((folder / "last").read_text()) < 15


def test_executor_of_a_longer_lived_fixture_is_not_a_leak_of_the_test_that_first_uses_it(ran: Ran) -> None:
    assert ran.of("test_executor") == {"test_submits": "passed", "test_forgets_its_own": "error"}


def test_repeated_test_answers_for_each_time_by_itself(ran: Ran) -> None:
    assert ran.of("test_repeated") == {
        "test_leaks_once": "passed",
        "test_refused_once": "passed",
        "test_leaks_always_after_a_failure": "error",
    }


def test_what_a_test_ran_is_forgotten_with_it(ran: Ran, folder: Path) -> None:
    assert ran.of("test_forgotten") == {"test_passes": "passed", "test_asks_wrongly": "failed"}
    assert (folder / "left").read_text() == "[]"
    assert "select nothing" in ran.texts["test_asks_wrongly"]
