"""Servers that are restarted, gone or frozen, as their clients see it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from trueup.db import Connection, connect
from trueup.errors import ConnectionFailed, ServerUnavailable, UsageError
from trueup.servers import EmbeddedServer
from trueup.testing.faults import outage, pause, restart, servers


@pytest.fixture(scope="module", params=[16, 18], ids=["pg16", "pg18"])
def own(request: pytest.FixtureRequest, cache_folder: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(
        request.param, cache_folder=cache_folder, tcp=True, configuration={"synchronous_commit": "on"}
    ) as server:
        yield server


@pytest.fixture
def client(own: EmbeddedServer) -> Iterator[Connection]:
    connection = connect(own.conninfo())
    connection.execute("drop table if exists t; create table t (id int); insert into t values (1)")
    yield connection
    connection.close()


@pytest.mark.parametrize("mode", ["fast", "immediate", "kill"])
def test_restarted_server_has_dropped_its_clients_and_kept_its_data(
    own: EmbeddedServer, client: Connection, mode: Any
) -> None:
    before = own.pid

    restart(own, mode)

    with pytest.raises(psycopg.OperationalError):
        client.execute("select 1")
    with connect(own.conninfo()) as again:
        assert again.execute("select * from t").fetchall() == [(1,)]
    assert own.pid not in {None, before}


def test_outage_lasts_as_long_as_its_block(own: EmbeddedServer) -> None:
    with outage(own), pytest.raises(ConnectionFailed, match="refused"):
        connect(own.conninfo())
    connect(own.conninfo()).close()

    with pytest.raises(ZeroDivisionError), outage(own):
        raise ZeroDivisionError
    connect(own.conninfo()).close()


def test_server_that_does_not_run_is_left_alone(own: EmbeddedServer) -> None:
    with outage(own):
        with pytest.raises(UsageError, match="does not run"):
            restart(own)
        with pytest.raises(UsageError, match="does not run"), pause(own):
            raise AssertionError
        own.start()


def test_server_that_was_never_started_is_left_alone(cache_folder: Path) -> None:
    with pytest.raises(ServerUnavailable):
        restart(EmbeddedServer(18, cache_folder=cache_folder))


def test_frozen_server_hangs_for_its_clients_and_goes_on_after_the_block(
    own: EmbeddedServer, client: Connection
) -> None:
    """Its own timeouts freeze with it."""
    client.execute("set statement_timeout = '10ms'")
    with ThreadPoolExecutor(1) as threads:
        with pause(own):
            answer = threads.submit(client.execute, "select 1")
            with pytest.raises(TimeoutError):
                answer.result(0.2)
            with pytest.raises(ConnectionFailed, match="timeout expired"):
                connect(own.conninfo().with_parameters(connect_timeout="1"))
            frozen = processes(own)

        answer.exception(5)
    assert {state for _, state in frozen} == {psutil.STATUS_STOPPED}
    assert len(frozen) > 3
    assert psutil.STATUS_STOPPED not in {state for _, state in processes(own)}


def processes(server: EmbeddedServer) -> list[tuple[int, str]]:
    assert server.pid
    main = psutil.Process(server.pid)
    return [(process.pid, process.status()) for process in (main, *main.children())]


def test_frozen_connection_alone_hangs(own: EmbeddedServer, client: Connection) -> None:
    with ThreadPoolExecutor(1) as threads:
        with pause(own, client):
            answer = threads.submit(client.execute, "select 1")
            connect(own.conninfo()).close()
            with pytest.raises(TimeoutError):
                answer.result(0.1)

        assert answer.result(5).fetchall() == [(1,)]


def test_connection_to_another_server_is_not_frozen(own: EmbeddedServer, server18: EmbeddedServer) -> None:
    """Only what we started is ever signalled."""
    with (
        connect(server18.conninfo()) as foreign,
        pytest.raises(UsageError, match="none of the server's"),
        pause(own, foreign),
    ):
        raise AssertionError

    connect(own.conninfo()).close()


def test_frozen_server_goes_on_when_its_test_failed(own: EmbeddedServer) -> None:
    with pytest.raises(ZeroDivisionError), pause(own):
        raise ZeroDivisionError

    connect(own.conninfo()).close()


def test_frozen_server_goes_on_when_its_test_hangs(own: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "LONGEST_PAUSE_S", 0.1)

    with pause(own):
        connect(own.conninfo()).close()


def test_process_that_ended_in_between_is_no_error() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
        frozen: list[int] = []

        servers.stop(ended.pid, frozen)
        servers.thaw([ended.pid])

    assert frozen == []


def test_frozen_server_ends_with_the_process_that_froze_it(cache_folder: Path) -> None:
    """A test that is killed can't thaw anything."""
    program = (
        "import sys, pathlib; from trueup.servers import EmbeddedServer; from trueup.testing.faults import pause\n"
        "with EmbeddedServer(18, cache_folder=pathlib.Path(sys.argv[1])) as server, pause(server):\n"
        "    print(server.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(cache_folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout
        postmaster = psutil.Process(int(child.stdout.readline()))
        tree = [postmaster, *postmaster.children()]

        child.send_signal(signal.SIGKILL)

    assert psutil.wait_procs(tree, timeout=10)[1] == []


def test_threads_end_with_the_block(own: EmbeddedServer) -> None:
    before = set(threading.enumerate())

    with pause(own):
        pass

    for thread in set(threading.enumerate()) - before:
        thread.join(1)
    assert set(threading.enumerate()) <= before


def test_own_children_are_found(tmp_path: Path) -> None:
    strange = tmp_path / "a) b ("
    strange.symlink_to("/bin/sleep")
    with subprocess.Popen([strange, "60"]) as child:
        try:
            assert child.pid in servers.children_of(os.getpid())
        finally:
            child.kill()
