"""A test may reach the embedded servers that it has started itself, and by that no other."""

import pytest

SUITE = '''
import asyncio
import multiprocessing
import socket
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import psycopg
import psycopg_pool
import pytest
from psycopg.pq import PGconn

from trueup.db import Database, connect
from trueup.servers import EmbeddedServer, open_source
from trueup.settings import DatabaseSettings, Settings
from trueup.testing.faults import Proxy, terminate

started = partial(EmbeddedServer, cache_folder=Settings.load().cache_folder)
KNOWN = {}


PLACE = "{}/.s.PGSQL.{}"


def address_of(server):
    parameters = server.conninfo().parameters
    return parameters["host"], int(parameters["port"])


def look(conninfo):
    with psycopg.connect(conninfo.reveal()) as connection:
        connection.execute("select 1")


@pytest.fixture(scope="module")
def own():
    with started() as server:
        look(server.conninfo())
        KNOWN["own"] = server.conninfo()
        yield server


@pytest.fixture
def own_by_tcp():
    with started(tcp=True) as server:
        look(server.conninfo())
        yield server


def test_in_its_body():
    with started() as server:
        look(server.conninfo())


def test_by_a_fixture(own_by_tcp):
    look(own_by_tcp.create_database("another"))
    look(own_by_tcp.conninfo().with_parameters(host="localhost"))


def test_by_a_fixture_of_the_module(own):
    look(own.conninfo())


def test_by_a_fixture_that_is_asked_for_later(request):
    look(request.getfixturevalue("own").conninfo())


@pytest.fixture(scope="module")
def any_own(request):
    return request.getfixturevalue("own_of_the_session")


@pytest.fixture(scope="session")
def own_of_the_session():
    with started() as server:
        yield server


@pytest.mark.parametrize("turn", ["first", "second"])
def test_by_a_fixture_that_asks_for_it_later(any_own, turn):
    look(any_own.conninfo())


def test_that_a_function_of_trueup_has_started(tmp_path):
    (tmp_path / "crm.sql").write_text("create table clients (id int);")
    with open_source(str(tmp_path / "crm.sql"), Settings.load()) as conninfo:
        look(conninfo)


def test_by_a_proxy(own):
    psycopg2 = pytest.importorskip("psycopg2")
    with Proxy(own.conninfo()) as proxy:
        look(proxy.conninfo)
        psycopg2.connect(proxy.conninfo.reveal()).close()


def test_with_a_fault(own):
    with psycopg.connect(own.conninfo().reveal()) as connection:
        terminate(connection)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")


def test_refused_where_a_proxy_leads_elsewhere(own):
    folder, port = FOREIGN["address"]
    with Proxy(own.conninfo().with_parameters(host=folder, port=str(port))) as proxy:
        look(proxy.conninfo)


def test_with_a_bare_connection(own):
    PGconn.connect(own.conninfo().reveal().encode()).finish()


def test_with_connections_of_trueup(own):
    connect(own.conninfo()).close()
    with Database(DatabaseSettings(conninfo=own.conninfo(), service="crm")) as database:
        with database.transaction() as transaction:
            transaction.connection.execute("select 1")


def test_with_a_pool(own):
    with psycopg_pool.ConnectionPool(own.conninfo().reveal(), open=False) as pool, pool.connection():
        pass


@pytest.mark.parametrize("is_async", [False, True])
def test_with_psycopg2(own, is_async):
    psycopg2 = pytest.importorskip("psycopg2")
    psycopg2.connect(own.conninfo().reveal(), async_=is_async).close()


def test_with_pg8000(own):
    pg8000 = pytest.importorskip("pg8000.native")
    pg8000.Connection("postgres", unix_sock=PLACE.format(*address_of(own))).close()


def test_with_asyncpg(own):
    asyncpg = pytest.importorskip("asyncpg")
    folder, port = address_of(own)

    async def work():
        await (await asyncpg.connect(host=folder, port=port, user="postgres")).close()

    asyncio.run(work())


def test_in_a_thread(own):
    thread = threading.Thread(target=look, args=[own.conninfo()])
    thread.start()
    thread.join()


def test_that_a_thread_has_started():
    def work():
        with started() as server:
            look(server.conninfo())
            KNOWN["by a thread"] = True

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert KNOWN.pop("by a thread")


def test_in_a_forked_process(own):
    child = multiprocessing.get_context("fork").Process(target=look, args=[own.conninfo()])
    child.start()
    child.join()
    assert child.exitcode == 0


def test_that_does_not_run_at_the_moment():
    with started() as server:
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            look(server.conninfo())
        server.start()
        look(server.conninfo())


def test_refused_when_it_has_ended():
    with started() as server:
        conninfo = server.conninfo()
        look(conninfo)
    look(conninfo)


def test_refused_where_its_fixture_is_not_asked_for():
    look(KNOWN["own"])


def test_refused_where_it_is_not_the_one(own):
    psycopg.connect(FOREIGN["unmarked"])


def test_refused_where_it_is_not_the_one_with_psycopg2(own):
    psycopg2 = pytest.importorskip("psycopg2")
    psycopg2.connect(FOREIGN["unmarked"])


def test_refused_where_it_is_not_the_one_with_asyncpg(own):
    asyncpg = pytest.importorskip("asyncpg")
    folder, port = FOREIGN["address"]
    asyncio.run(asyncpg.connect(host=folder, port=port, user="postgres"))


def test_refused_where_the_other_has_the_mark(own):
    psycopg.connect(FOREIGN["marked"])


def test_refused_where_another_process_has_started_it(own):
    program = """
import sys
from pathlib import Path
from trueup.servers import EmbeddedServer
with EmbeddedServer(cache_folder=Path(sys.argv[1])) as server:
    print(server.conninfo().reveal(), flush=True)
    sys.stdin.read()
"""
    words = [sys.executable, "-c", program, str(own.cache_folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        psycopg.connect(process.stdout.readline().strip())


def test_refused_where_another_has_taken_its_address(own_by_tcp):
    own_by_tcp.stop()
    listener = socket.create_server(("127.0.0.1", own_by_tcp.port))

    def pass_on(one, other):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)

    def lead():
        with listener, listener.accept()[0] as here, socket.socket(socket.AF_UNIX) as there:
            there.connect(PLACE.format(*FOREIGN["address"]))
            back = threading.Thread(target=pass_on, args=[there, here])
            back.start()
            pass_on(here, there)
            back.join()

    leading = threading.Thread(target=lead)
    leading.start()
    try:
        look(own_by_tcp.conninfo())
    finally:
        leading.join()
'''
TRACKED = """
from trueup.servers import EmbeddedServer
from trueup.settings import Settings


def test_of_the_harness(session_server):
    assert session_server.pid


def test_left_open():
    EmbeddedServer(cache_folder=Settings.load().cache_folder).__enter__()
"""
NOT_OWNED = "tests don't own the database"
NOTHING = "asks for no database, so it can't reach one: ask for a fixture, conn "
REFUSED = {
    "when_it_has_ended": NOTHING,
    "where_its_fixture_is_not_asked_for": NOTHING,
    "where_it_is_not_the_one": NOT_OWNED,
    "where_it_is_not_the_one_with_psycopg2": NOT_OWNED,
    "where_it_is_not_the_one_with_asyncpg": NOT_OWNED,
    "where_a_proxy_leads_elsewhere": NOT_OWNED,
    "where_the_other_has_the_mark": 'was not given the database "owned"',
    "where_another_process_has_started_it": NOT_OWNED,
    "where_another_has_taken_its_address": NOT_OWNED,
}


@pytest.fixture
def foreign(server18, owned) -> dict[str, object]:
    conninfo = server18.conninfo()
    return {
        "unmarked": conninfo.reveal(),
        "marked": owned.reveal(),
        "address": (conninfo.parameters["host"], int(conninfo.parameters["port"])),
    }


def test_server_that_a_test_has_started_is_its_own_and_no_other_is(suite, foreign) -> None:
    outcome = suite.run(f"FOREIGN = {foreign!r}\n{SUITE}")
    refused = {f"test_refused_{name}": text for name, text in REFUSED.items()}

    assert {name: result for name, result in outcome.results.items() if result == "failed"} == dict.fromkeys(
        refused, "failed"
    ), outcome.printed
    assert set(outcome.results.values()) <= {"passed", "skipped", "failed"}, outcome.printed
    assert len(outcome.results) == 29
    for name, text in refused.items():
        assert text in outcome.texts[name], outcome.texts[name]


def test_server_is_known_where_a_tracker_of_errors_starts_its_process(suite) -> None:
    """The SDK puts a function of its own in the place of the one that starts programs."""
    suite.conftest = '\nimport sentry_sdk\nsentry_sdk.init("http://key@127.0.0.1:1/1")\n'

    outcome = suite.run(TRACKED)

    assert outcome.results == {"test_of_the_harness": "passed", "test_left_open": "error"}, outcome.printed
    assert "an EmbeddedServer was started and never closed" in outcome.texts["test_left_open"], outcome.printed
