"""A test reaches the database that its fixture gave and no other, by whatever way it tries."""

from pathlib import Path

import pytest
from tests.integration.testing.guard.suites import run_suite
from tests.integration.testing.projects import Ran

from trueup.servers import EmbeddedServer

pytestmark = pytest.mark.filterwarnings("default::ResourceWarning")

WAYS = """
import asyncio
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import psycopg.pq
import psycopg_pool
import pytest
from psycopg.pq import PGconn

from trueup.conninfo import ConnInfo
from trueup.db import Database, connect
from trueup.errors import Refused, TrueupError
from trueup.settings import DatabaseSettings

LISTENER = socket.create_server(("127.0.0.1", 0))
LISTENER.setblocking(False)
NOWHERE = f"host=127.0.0.1 port={LISTENER.getsockname()[1]} dbname=crm user=postgres sslmode=disable"
URI = f"postgresql://postgres@127.0.0.1:{LISTENER.getsockname()[1]}/crm"


class Own(psycopg.Connection):
    pass


async def connect_async():
    await psycopg.AsyncConnection.connect(NOWHERE)


async def open_async_pool():
    async with psycopg_pool.AsyncConnectionPool(NOWHERE, open=False) as pool:
        async with pool.connection():
            pass


async def connect_asyncpg():
    asyncpg = pytest.importorskip("asyncpg")
    await asyncpg.connect(URI)


async def open_asyncpg_pool():
    asyncpg = pytest.importorskip("asyncpg")
    async with asyncpg.create_pool(URI):
        pass


def connect_psycopg2(**options):
    psycopg2 = pytest.importorskip("psycopg2")
    psycopg2.connect(NOWHERE, **options)


def open_psycopg2_pool():
    pool = pytest.importorskip("psycopg2.pool")
    pool.SimpleConnectionPool(1, 2, URI)


def connect_pg8000(module):
    pg8000 = pytest.importorskip(module)
    kind = pg8000.Connection if module.endswith("native") else pg8000.connect
    kind("postgres", host="127.0.0.1", port=LISTENER.getsockname()[1])


def use_engine(driver):
    pytest.importorskip(driver)
    sqlalchemy = pytest.importorskip("sqlalchemy")
    sqlalchemy.create_engine(URI.replace("postgresql", f"postgresql+{driver}")).connect()


def use_database():
    settings = DatabaseSettings(conninfo=ConnInfo.parse(NOWHERE), service="crm")
    with Database(settings) as database, database.transaction():
        pass


def open_pool():
    with psycopg_pool.ConnectionPool(NOWHERE, open=False):
        pass


def open_null_pool():
    with psycopg_pool.NullConnectionPool(NOWHERE, open=False) as pool, pool.connection():
        pass


def use_thread():
    caught = []

    def work():
        try:
            psycopg.connect(NOWHERE)
        except Exception as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    raise caught[0]


def use_executor():
    with ThreadPoolExecutor() as executor:
        executor.submit(psycopg.connect, NOWHERE).result()


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(lambda: psycopg.connect(NOWHERE), id="psycopg.connect"),
        pytest.param(lambda: psycopg.connect(URI), id="uri"),
        pytest.param(lambda: psycopg.connect(host="127.0.0.1", port=LISTENER.getsockname()[1]), id="parameters"),
        pytest.param(lambda: psycopg.Connection.connect(NOWHERE), id="Connection.connect"),
        pytest.param(lambda: Own.connect(NOWHERE), id="subclass"),
        pytest.param(lambda: asyncio.run(connect_async()), id="AsyncConnection"),
        pytest.param(open_pool, id="ConnectionPool"),
        pytest.param(open_null_pool, id="NullConnectionPool"),
        pytest.param(lambda: asyncio.run(open_async_pool()), id="AsyncConnectionPool"),
        pytest.param(lambda: connect(ConnInfo.parse(NOWHERE)), id="trueup.db.connect"),
        pytest.param(use_database, id="Database"),
        pytest.param(lambda: PGconn.connect(NOWHERE.encode()), id="PGconn.connect"),
        pytest.param(lambda: PGconn.connect_start(URI.encode()), id="PGconn.connect_start"),
        pytest.param(lambda: psycopg.pq.PGconn.connect(NOWHERE.encode()), id="pq.PGconn"),
        pytest.param(lambda: asyncio.run(connect_asyncpg()), id="asyncpg"),
        pytest.param(lambda: asyncio.run(open_asyncpg_pool()), id="asyncpg pool"),
        pytest.param(connect_psycopg2, id="psycopg2"),
        pytest.param(lambda: connect_psycopg2(async_=True), id="psycopg2, asynchronous"),
        pytest.param(open_psycopg2_pool, id="psycopg2 pool"),
        pytest.param(lambda: connect_pg8000("pg8000.dbapi"), id="pg8000"),
        pytest.param(lambda: connect_pg8000("pg8000.native"), id="pg8000.native"),
        pytest.param(lambda: use_engine("psycopg"), id="sqlalchemy"),
        pytest.param(lambda: use_engine("psycopg2"), id="sqlalchemy with psycopg2"),
        pytest.param(use_thread, id="thread"),
        pytest.param(use_executor, id="executor"),
    ],
)
def test_way(way, request):
    from trueup.testing.guard.gate import gate

    started = time.monotonic()
    with pytest.raises(Refused, match="ask for a fixture, conn .*db ") as caught:
        way()
    assert time.monotonic() - started < 20  # A pool or a driver would try for longer.
    assert isinstance(caught.value, TrueupError)
    with pytest.raises(BlockingIOError):
        LISTENER.accept()
    gate.owner.refusals.clear()
"""
SWALLOWS = """
import contextlib
import threading

import psycopg

def test_swallows():
    with contextlib.suppress(Exception):
        psycopg.connect("host=127.0.0.1 port=1")

def test_after():
    pass
"""
SESSION = """
import psycopg
import pytest

@pytest.fixture(scope="session")
def sneaks():
    with psycopg.connect("host=127.0.0.1 port=1") as connection:
        yield connection

@pytest.fixture(scope="session")
def asks(session_dsn):
    with psycopg.connect(session_dsn) as connection:
        yield connection

def test_sneaks(sneaks):
    pass

def test_asks(asks):
    assert asks.execute("select 1").fetchone() == (1,)

def test_asks_while_it_runs(request):
    assert request.getfixturevalue("asks").execute("select 1").fetchone() == (1,)
    psycopg.connect(request.getfixturevalue("session_dsn")).close()

def test_asks_for_nothing():
    psycopg.connect("host=127.0.0.1 port=1")
"""
GIVEN = """
import asyncio
import threading

import psycopg
import psycopg_pool
import pytest

from trueup.conninfo import ConnInfo
from trueup.db import Database, connect
from trueup.settings import DatabaseSettings

QUESTION = "select current_setting('application_name')"
HERE = "test_given.py::"

def test_connect(dsn):
    with psycopg.connect(dsn) as connection:
        assert connection.execute(QUESTION).fetchone() == (HERE + "test_connect",)

def test_name_of_a_connection_string_of_its_own(dsn):
    given = psycopg.conninfo.conninfo_to_dict(dsn)
    del given["application_name"]
    with psycopg.connect(**given) as connection:
        name = connection.execute(QUESTION).fetchone()[0]
    assert name == HERE + "test_name_of_a_connection_string_of_its_own"

def test_bare_connection(dsn):
    login = psycopg.pq.PGconn.connect_start(dsn.encode())
    assert isinstance(login, psycopg.pq.PGconn)
    assert login.connect_poll() == psycopg.pq.PollingStatus.OK
    login.finish()

def test_connection_on_a_bare_one(dsn):
    with psycopg.Connection(psycopg.pq.PGconn.connect(dsn.encode())) as connection:
        connection.execute("select 1")

def test_pool(dsn):
    with psycopg_pool.ConnectionPool(dsn, min_size=2, open=False) as pool:
        with pool.connection() as connection:
            connection.execute("select 1")

def test_database(dsn):
    with Database(DatabaseSettings(conninfo=ConnInfo.parse(dsn), service="crm")) as database:
        with database.transaction() as transaction:
            assert transaction.connection.execute(QUESTION).fetchone() == (HERE + "test_database",)

def test_async(dsn):
    async def work():
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            await connection.execute("select 1")
        async with psycopg_pool.AsyncConnectionPool(dsn, open=False) as pool:
            async with pool.connection() as connection:
                await connection.execute("select 1")

    asyncio.run(work())

def test_asyncpg(dsn):
    asyncpg = pytest.importorskip("asyncpg")
    given = psycopg.conninfo.conninfo_to_dict(dsn)

    async def work():
        connection = await asyncpg.connect(
            host=given["host"], port=given["port"], user=given["user"], database=given["dbname"]
        )
        assert await connection.fetchval(QUESTION) == HERE + "test_asyncpg"
        await connection.close()

    asyncio.run(work())

@pytest.mark.parametrize("is_uri", [False, True])
def test_psycopg2(dsn, is_uri):
    psycopg2 = pytest.importorskip("psycopg2")
    given = psycopg.conninfo.conninfo_to_dict(dsn)
    del given["application_name"]
    text = psycopg.conninfo.make_conninfo(**given)
    connection = psycopg2.connect(ConnInfo.parse(text).reveal() if is_uri else text)
    try:
        assert connection.status == psycopg2.extensions.STATUS_READY and not connection.autocommit
        with connection.cursor() as cursor:
            cursor.execute(QUESTION)
            assert cursor.fetchone()[0].startswith(HERE + "test_psycopg2")
    finally:
        connection.close()

def test_psycopg2_asynchronously(dsn):
    psycopg2 = pytest.importorskip("psycopg2")
    from psycopg2.extras import wait_select

    connection = psycopg2.connect(dsn, async_=True)
    wait_select(connection)
    cursor = connection.cursor()
    cursor.execute("select 1")
    wait_select(connection)
    assert cursor.fetchone() == (1,)
    connection.close()

def test_psycopg2_with_a_kind_of_its_own(dsn):
    psycopg2 = pytest.importorskip("psycopg2")
    from psycopg2.extras import RealDictConnection

    connection = psycopg2.connect(dsn, connection_factory=RealDictConnection)
    assert isinstance(connection, RealDictConnection)
    connection.close()

@pytest.mark.parametrize("module", ["dbapi", "native"])
def test_pg8000(dsn, module):
    pg8000 = pytest.importorskip(f"pg8000.{module}")
    given = psycopg.conninfo.conninfo_to_dict(dsn)
    connection = pg8000.Connection(
        given["user"], unix_sock=f"{given['host']}/.s.PGSQL.{given['port']}", database=given["dbname"]
    )
    assert connection.execute_simple(QUESTION).rows[0][0].startswith(HERE + "test_pg8000")
    connection.close()

def test_thread(dsn):
    def work():
        with psycopg.connect(dsn) as connection:
            connection.execute("select 1")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

def test_error_of_the_driver_stays_itself(dsn):
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(dsn, dbname="nosuch")
    with pytest.raises(psycopg.ProgrammingError):
        psycopg.connect("nonsense")

def test_error_of_psycopg2_stays_itself(dsn):
    psycopg2 = pytest.importorskip("psycopg2")
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(dsn, dbname="nosuch")
    with pytest.raises(psycopg2.ProgrammingError):
        psycopg2.connect("nonsense")
"""
OTHERS = """
import psycopg
from trueup.conninfo import ConnInfo
from trueup.testing.guard.gate import gate

OTHERS = ConnInfo.parse({others!r})

def test_other(dsn):
    psycopg.connect(OTHERS.reveal())

def test_given_to_another_test_before(dsn):
    gate.known.clear()
    psycopg.connect(dsn).close()
"""
LOST = """
import psycopg
import pytest

from trueup.conninfo import ConnInfo
from trueup.testing.faults import Proxy

def test_lost(dsn):
    with Proxy(ConnInfo.parse(dsn)) as wire:
        wire.on(b"pg_postmaster_start_time", "cut before")
        with pytest.raises(psycopg.OperationalError, match="closed the connection"):
            psycopg.connect(wire.conninfo.reveal())
        wire.restore()
        psycopg.connect(wire.conninfo.reveal()).close()
"""
IMPORT = "import psycopg\npsycopg.connect('host=127.0.0.1 port=1')\n"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, server18: EmbeddedServer) -> Ran:
    """Return what became of all these tests in one run."""
    others = server18.create_database("others")
    try:
        modules = {
            "test_ways": WAYS,
            "test_swallows": SWALLOWS,
            "test_session": SESSION,
            "test_given": GIVEN,
            "test_others": OTHERS.format(others=others.reveal()),
            "test_lost": LOST,
            "test_imports": IMPORT,
        }
        options = ("-W", "ignore", "--continue-on-collection-errors")
        return run_suite(tmp_path_factory.mktemp("gate"), server18, modules, *options)
    finally:
        server18.drop_database("others")


def test_test_that_asks_for_nothing_is_refused_at_once_and_sends_nothing(ran: Ran) -> None:
    assert len(ran.of("test_ways")) == 25
    assert set(ran.of("test_ways").values()) <= {"passed", "skipped"}, ran.printed


def test_refusal_that_is_swallowed_fails_the_test(ran: Ran) -> None:
    assert ran.of("test_swallows") == {"test_swallows": "error", "test_after": "passed"}
    assert "test_swallows asks for no database" in ran.texts["test_swallows"]
    assert "as if nothing had happened" in ran.texts["test_swallows"]
    assert 'psycopg.connect("host=127.0.0.1 port=1")' in ran.texts["test_swallows"]


def test_import_cannot_open_a_connection(ran: Ran) -> None:
    """W-T12: importing a module opened a connection, and the tests never ended."""
    [told] = [text for name, text in ran.texts.items() if name.endswith("test_imports")]
    assert "Refused: a database was to be opened while no test runs" in told


def test_conftest_cannot_open_a_connection(suite) -> None:
    suite.pytester.makeconftest("import psycopg\npsycopg.connect('host=127.0.0.1 port=1')")

    done = suite.pytester.runpytest_subprocess()

    assert done.ret != 0
    done.stderr.fnmatch_lines(["*Refused: a database was to be opened while no test runs*"])


def test_fixture_of_the_session_has_to_ask_too(ran: Ran) -> None:
    assert ran.of("test_session") == {
        "test_sneaks": "error",
        "test_asks": "passed",
        "test_asks_while_it_runs": "passed",
        "test_asks_for_nothing": "failed",
    }
    assert 'the fixture "sneaks" of the session asks for no database' in ran.texts["test_sneaks"]
    assert "test_asks_for_nothing asks for no database" in ran.texts["test_asks_for_nothing"]


def test_what_is_given_can_be_reached_in_every_way(ran: Ran) -> None:
    assert set(ran.of("test_given").values()) <= {"passed", "skipped"}, ran.printed
    assert len(ran.of("test_given")) == 17


def test_database_of_another_test_is_refused(ran: Ran) -> None:
    assert ran.of("test_others") == {"test_other": "failed", "test_given_to_another_test_before": "passed"}
    assert 'own the database "others"' in ran.texts["test_other"]


def test_connection_that_is_lost_before_it_says_whose_it_is_is_not_refused(ran: Ran) -> None:
    assert ran.of("test_lost") == {"test_lost": "passed"}, ran.printed


def test_guard_that_is_off_watches_nobody(suite, owned) -> None:
    outcome = suite.run(
        f"""
        import psycopg
        from psycopg import pq

        def test_connects():
            connection = psycopg.connect({owned.reveal()!r})
            assert type(connection.pgconn) is pq.PGconn
            globals()["left"] = connection

        def test_ends():
            left.close()
        """,
        *("-o", "trueup_guard=false"),
    )

    assert set(outcome.results.values()) == {"passed"}


def test_driver_that_is_not_loaded_is_not_loaded_by_the_gate(pytester: pytest.Pytester, tmp_path: Path) -> None:
    pytester.makepyfile("""
        import sys

        def test_nothing():
            assert not {"psycopg", "psycopg_pool", "asyncpg", "trueup.db", "asyncio"} & set(sys.modules)
    """)

    done = pytester.runpytest_subprocess(
        *(word for name in ("randomly", "hypothesispytest", "anyio", "faker") for word in ("-p", f"no:{name}"))
    )

    done.assert_outcomes(passed=1)
