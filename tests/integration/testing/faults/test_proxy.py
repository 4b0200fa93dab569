"""A wire that breaks as it is told, seen by a client on one side and by an observer behind it."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import psycopg
import pytest

from trueup.conninfo import ConnInfo
from trueup.db import Connection, connect
from trueup.errors import ConnectionFailed, UsageError
from trueup.testing.faults import Proxy

INSERT = "insert into t values (1)"
SLACK_S = 5.0


@pytest.fixture
def observer(database: ConnInfo) -> Iterator[Connection]:
    connection = connect(database, application_name="observer")
    connection.execute("create table t (id int)")
    yield connection
    connection.close()


@pytest.fixture
def proxy(database: ConnInfo) -> Iterator[Proxy]:
    with Proxy(database) as found:
        yield found


@pytest.fixture
def client(observer: Connection, proxy: Proxy) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(proxy.conninfo.reveal(), application_name="client") as connection:
        yield connection


def count(observer: Connection) -> Any:
    return observer.execute("select count(*) from t").fetchone()[0]  # type: ignore[index]


def clients(observer: Connection) -> int:
    return len(observer.execute("select 1 from pg_stat_activity where application_name = 'client'").fetchall())


def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    deadline, pause = monotonic() + seconds, threading.Event()
    while not condition():
        assert monotonic() < deadline
        pause.wait(0.005)


def commit(client: psycopg.Connection[Any]) -> None:
    client.execute(INSERT)
    client.commit()


def doze_at_commit(client: psycopg.Connection[Any], seconds: float) -> None:
    """Let a COMMIT take that long once a row was inserted."""
    body = f"begin perform pg_sleep({seconds}); return new; end"
    client.execute(f"create function doze() returns trigger language plpgsql as '{body}'".encode())
    client.execute(
        "create constraint trigger doze after insert on t initially deferred for each row execute function doze()"
    )
    client.commit()


@pytest.mark.parametrize(("action", "stored"), [("cut before", 0), ("cut behind", 1), ("cut after", 1)])
def test_cut_commit_is_one_error_and_two_outcomes(
    client: psycopg.Connection[Any], observer: Connection, proxy: Proxy, action: Any, stored: int
) -> None:
    proxy.on(b"COMMIT", action)

    with pytest.raises(psycopg.OperationalError, match="closed the connection"):
        commit(client)

    until(lambda: clients(observer) == 0)
    assert count(observer) == stored
    assert proxy.pending == ()


def test_client_hears_of_a_cut_after_the_server_is_done(
    client: psycopg.Connection[Any], observer: Connection, proxy: Proxy
) -> None:
    doze_at_commit(client, 0.2)
    proxy.on(b"COMMIT", "cut after")

    with pytest.raises(psycopg.OperationalError):
        commit(client)

    assert count(observer) == 1


def test_client_hears_of_a_cut_behind_while_the_server_is_at_work(
    client: psycopg.Connection[Any], observer: Connection, proxy: Proxy
) -> None:
    doze_at_commit(client, 0.5)
    proxy.on(b"COMMIT", "cut behind")

    with pytest.raises(psycopg.OperationalError):
        commit(client)

    assert count(observer) == 0
    until(lambda: count(observer) == 1)


@pytest.mark.parametrize(("action", "stored"), [("lost before", 0), ("lost after", 1)])
def test_lost_commit_leaves_both_ends_waiting(
    client: psycopg.Connection[Any], observer: Connection, proxy: Proxy, action: Any, stored: int
) -> None:
    """Half-open: the client hangs, and the server keeps a session for nobody."""
    proxy.on(b"COMMIT", action)
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(commit, client)
        until(lambda: proxy.pending == ())

        with pytest.raises(TimeoutError):
            answer.result(0.2)
        assert clients(observer) == 1
        proxy.cut()

        assert isinstance(answer.exception(5), psycopg.OperationalError)
    until(lambda: clients(observer) == 0)
    assert count(observer) == stored


def test_client_that_hangs_up_a_lost_connection_is_not_noticed_by_the_server(
    client: psycopg.Connection[Any], observer: Connection, proxy: Proxy
) -> None:
    client.execute("select 1")
    proxy.lose()

    client.close()

    threading.Event().wait(0.1)
    assert clients(observer) == 1


def test_dark_wire_delivers_when_it_is_lit(client: psycopg.Connection[Any], observer: Connection, proxy: Proxy) -> None:
    proxy.on(b"COMMIT", "dark before")
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(commit, client)
        until(lambda: not proxy.is_lit.is_set())
        before = count(observer)

        proxy.light()
        answer.result(5)

    assert (before, count(observer)) == (0, 1)


def test_fault_happens_once(client: psycopg.Connection[Any], proxy: Proxy, observer: Connection) -> None:
    proxy.on(b"COMMIT", "cut before")
    with pytest.raises(psycopg.OperationalError):
        commit(client)

    with psycopg.connect(proxy.conninfo.reveal()) as second:
        commit(second)

    assert count(observer) == 1


def test_forgotten_fault_does_not_happen(client: psycopg.Connection[Any], proxy: Proxy, observer: Connection) -> None:
    proxy.on(b"COMMIT", "cut before")
    assert [fault.pattern for fault in proxy.pending] == [b"COMMIT"]

    proxy.forget()
    commit(client)

    assert count(observer) == 1


def test_call_before_and_after_see_what_the_server_has(
    client: psycopg.Connection[Any], observer: Connection, proxy: Proxy
) -> None:
    seen: list[Any] = []
    proxy.before(b"COMMIT", lambda: seen.append(("before", count(observer))))
    proxy.after(b"COMMIT", lambda: seen.append(("after", count(observer))))
    commit(client)
    commit(client)

    assert seen == [("before", 0), ("after", 2)]


def test_answer_is_lost_when_the_call_after_it_cuts(
    client: psycopg.Connection[Any], observer: Connection, proxy: Proxy
) -> None:
    proxy.after(b"COMMIT", proxy.cut)

    with pytest.raises(psycopg.OperationalError):
        commit(client)

    assert count(observer) == 1


def test_call_that_fails_fails_the_block(database: ConnInfo, observer: Connection) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    def run() -> None:
        with Proxy(database) as proxy, connect(proxy.conninfo) as connection:
            proxy.before(b"select 1", fail)
            connection.execute("select 1")

    with pytest.raises(ZeroDivisionError):
        run()


def test_refused_port_is_refused_and_open_connections_go_on(
    client: psycopg.Connection[Any], observer: Connection, proxy: Proxy
) -> None:
    proxy.refuse()
    with pytest.raises(ConnectionFailed, match="refused"):
        connect(proxy.conninfo)
    commit(client)

    proxy.restore()
    with connect(proxy.conninfo) as again:
        assert again.execute("select count(*) from t").fetchone() == (1,)


def test_swallowed_login_is_accepted_and_never_answered(
    client: psycopg.Connection[Any], observer: Connection, proxy: Proxy
) -> None:
    proxy.swallow()
    with socket.create_connection(("127.0.0.1", proxy.port)) as unanswered:
        unanswered.settimeout(0.2)
        with pytest.raises(TimeoutError):
            unanswered.recv(1)
    commit(client)

    proxy.restore()
    with connect(proxy.conninfo) as again:
        assert again.execute("select count(*) from t").fetchone() == (1,)


def test_delay_is_added_in_each_direction_and_not_to_each_piece(client: psycopg.Connection[Any], proxy: Proxy) -> None:
    """A long line is long, not narrow: what is sent together arrives together."""
    proxy.slow(delay_s=0.1)
    started = monotonic()
    client.execute("select 1")  # begin, select: two round trips
    assert 0.4 <= monotonic() - started < 0.4 + SLACK_S

    started = monotonic()
    rows = client.execute("select repeat('x', 1000) from generate_series(1, 5000)").fetchall()

    assert len(rows) == 5000
    assert 0.2 <= monotonic() - started < 0.2 + SLACK_S


def test_delayed_goodbye_arrives_after_what_was_sent_before(observer: Connection, proxy: Proxy) -> None:
    proxy.slow(delay_s=0.05)
    with psycopg.connect(proxy.conninfo.reveal(), application_name="client") as connection:
        connection.execute(INSERT)

    until(lambda: clients(observer) == 0)
    assert count(observer) == 1


def test_throttled_wire_takes_the_time_of_its_bytes(client: psycopg.Connection[Any], proxy: Proxy) -> None:
    client.execute("select 1")
    proxy.slow(bytes_per_s=200_000)
    started = monotonic()

    [(text,)] = client.execute("select repeat('x', 60000)").fetchall()

    assert len(text) == 60_000
    assert 0.3 <= monotonic() - started < 0.3 + SLACK_S


def test_flight_is_what_the_server_is_waited_for(client: psycopg.Connection[Any], proxy: Proxy) -> None:
    client.execute("select 1")
    before = proxy.flights

    client.execute("select %s", [1])

    assert proxy.flights - before == 1


def test_copy_passes(client: psycopg.Connection[Any], observer: Connection, proxy: Proxy) -> None:
    with client.cursor().copy("copy t from stdin") as copy:
        for number in range(100_000):
            copy.write_row([number])
    client.commit()

    assert count(observer) == 100_000


def test_nothing_is_left_of_a_wire(database: ConnInfo, observer: Connection) -> None:
    before = set(threading.enumerate())
    with Proxy(database) as proxy:
        connections = [psycopg.connect(proxy.conninfo.reveal(), application_name="client") for _ in range(3)]
        proxy.on(b"select 1", "dark before")
        proxy.slow(delay_s=0.01)
        with ThreadPoolExecutor(1) as threads:
            stuck = threads.submit(connections[0].execute, "select 1")
            until(lambda: proxy.pending == ())
            proxy.swallow()
            swallowed = socket.create_connection(("127.0.0.1", proxy.port))
            proxy.close()
            proxy.close()
    for end in (*connections, swallowed):
        end.close()

    assert isinstance(stuck.exception(), psycopg.OperationalError)
    until(lambda: clients(observer) == 0)
    assert set(threading.enumerate()) <= before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", proxy.port))


@pytest.mark.parametrize("address", [{"host": "127.0.0.1", "port": "1"}, {"host": "/nowhere"}])
def test_server_that_is_away_resets_the_client(database: ConnInfo, address: dict[str, str]) -> None:
    nobody = database.with_parameters(**address)
    with Proxy(nobody) as proxy, pytest.raises(ConnectionFailed):
        connect(proxy.conninfo)


def test_client_that_hangs_up_in_the_middle_of_a_message_leaves_nothing(proxy: Proxy) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port)) as half:
        half.sendall(b"\0\0\0\x20\0\3\0\0user")
        half.shutdown(socket.SHUT_WR)
        half.settimeout(5)

        assert half.recv(1) == b"", "the server has hung up too"


@pytest.mark.parametrize(
    "text",
    [
        "host=192.0.2.1",
        "host=db.example",
        "host=127.0.0.1,127.0.0.2",
        "host=/tmp,/run",
        "dbname=x",
        "host=127.0.0.1 hostaddr=192.0.2.1",
    ],
)
def test_server_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="on this machine"):
        Proxy(ConnInfo.parse(text))


@pytest.mark.parametrize("text", ["host=localhost", "host=::1 port=7", "host=x hostaddr=127.0.0.2", "host=/run port=7"])
def test_server_on_this_machine_is_led_to_over_loopback(text: str) -> None:
    asked = ConnInfo.parse(f"{text} dbname=d user=u sslmode=require channel_binding=require")
    with Proxy(asked) as proxy:
        found = proxy.conninfo.parameters
        shown = repr(proxy)

    assert (found["host"], found["port"], found["dbname"], found["user"]) == ("127.0.0.1", str(proxy.port), "d", "u")
    assert found.get("hostaddr", "127.0.0.1") == "127.0.0.1"
    assert (found["sslmode"], found["channel_binding"]) == ("disable", "disable")
    assert str(proxy.port) in shown
