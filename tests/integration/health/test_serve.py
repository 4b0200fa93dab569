"""`trueup serve` as it runs: a process of its own, real connections, a server that hangs."""

import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from trueup.cli.main import run
from trueup.conninfo import ConnInfo
from trueup.db.statistics import Statistics
from trueup.health import application
from trueup.health.server import ShortConnection, listen, server_of
from trueup.servers import EmbeddedServer
from trueup.testing.faults import Proxy

TOKEN = "a-token-that-nobody-guesses"
CHECKS = """
from dataclasses import dataclass

@dataclass
class Health:
    status: str
    expired_keys: int
    phone: str = "+79990000001"

def warned(db):
    with db.connection() as connection:
        (expired,) = connection.execute("select 120").fetchone()
    return Health("warning", expired)

def broken(db):
    with db.connection() as connection:
        connection.execute("select '+79990000001'::int")
"""


class Served:
    """Is a running `trueup serve`."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port

    def get(self, path: str, *, token: str | None = None, method: str = "GET") -> tuple[int, Any]:
        """Return the code and the body of a page; it has to come within 5 s."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request(method, path, headers={"authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, json.loads(body) if "json" in (answer.headers["content-type"] or "") and body else body

    def until(self, path: str, **expected: object) -> Any:
        """Return the page once it says what is expected."""
        deadline, pause = monotonic() + 10, threading.Event()
        while not (body := self.get(path, token=TOKEN)[1]).items() >= expected.items():
            assert monotonic() < deadline, f"{path} says {body}, not {expected}"
            pause.wait(0.02)
        return body


@contextmanager
def serving(conninfo: ConnInfo | str, folder: Path, *options: str, **variables: str) -> Iterator[Served]:
    named = conninfo.reveal() if isinstance(conninfo, ConnInfo) else conninfo
    command = [sys.executable, "-m", "trueup", "serve", named, "--port=0", "--every=0.1", *options]
    environment = {"TRUEUP_HEALTH_TOKEN": TOKEN, "PATH": os.defpath, "HOME": str(folder), **variables}
    process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    try:
        address = process.stderr.readline()
        assert address.startswith("http://127.0.0.1:"), address + process.stderr.read()
        yield Served(process, int(address.rpartition(":")[2].partition("/")[0]))
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a project with checks and services of its own."""
    (tmp_path / "salon_checks.py").write_text(CHECKS)
    (tmp_path / "trueup.toml").write_text(
        'services = [{name = "api"}, {name = "worker", processes = 2}]\n'
        '[checks]\nwhatsapp = "salon_checks:warned"\nsync = "salon_checks:broken"\n'
    )
    return tmp_path


def test_pages_of_a_server_that_is_well(database: ConnInfo, folder: Path) -> None:
    with serving(database, folder) as served:
        detailed = served.until("/health/database", status="ok")
        assert detailed["pool"]["max_size"] == 3
        assert detailed["budget"]["most"] == 9
        assert detailed["latency_ms"]["count"] >= 1

        for path in ("/health/live", "/health/ready", "/health/database"):
            code, body = served.get(path)
            assert (code, body["status"], body.keys()) == (200, "ok", {"status", "uptime", "timestamp"}), path
        assert served.until("/health/tracking", status="warn")["reason"] == "failures are not reported"
        assert served.get("/health/live", method="HEAD") == (200, "")
        assert served.get("/health/live", method="POST")[0] == 405
        assert served.get("/health/nobody")[0] == 404

        assert served.get("/metrics")[0] == 401
        code, metrics = served.get("/metrics", token=TOKEN)
        assert code == 200
        assert 'trueup_health_status{check="database",status="ok"} 1.0' in metrics
        assert 'trueup_health_figure{check="whatsapp",figure="expired_keys"} 120.0' in metrics


def test_checks_of_the_project_have_pages_without_texts(database: ConnInfo, folder: Path) -> None:
    """W-H1, W-H3, W-H7: a warning is seen, a failure is 503, and neither names anybody nor quotes the driver."""
    with serving(database, folder) as served:
        assert served.until("/health/whatsapp", status="warn")["expired_keys"] == 120
        assert served.get("/health/whatsapp")[0] == 200
        assert served.until("/health/sync", status="fail")["reason"] == "InvalidData"
        assert served.get("/health/sync")[0] == 503

        code, body = served.get("/health", token=TOKEN)
        assert (code, body["status"]) == (503, "fail")
        assert body["checks"].keys() == {"database", "tracking", "nightly", "whatsapp", "sync"}
        assert "7999" not in json.dumps(body)
        assert served.get("/health")[1].keys() == {"status", "uptime", "timestamp"}
        assert served.get("/health", token=TOKEN[:-1])[1].keys() == {"status", "uptime", "timestamp"}
        assert served.get("/health/ready")[0] == 200


def test_hung_database_is_told_and_holds_up_no_page(server18: EmbeddedServer, folder: Path) -> None:
    """W-H6, W-H8: liveness knows no database, readiness does, and no request waits for either."""
    with Proxy(server18.conninfo()) as wire, serving(wire.through(server18.conninfo()), folder) as served:
        served.until("/health/ready", status="ok")

        wire.darken()

        served.until("/health/ready", status="fail")
        assert served.get("/health/ready")[0] == 503
        assert served.get("/health/live")[0] == 200
        taken = sorted(time_of(served, path) for path in ("/health", "/health/live", "/metrics") for _ in range(20))
        assert taken[len(taken) // 2] < 0.05

        wire.light()
        served.until("/health/ready", status="ok")


def time_of(served: Served, path: str) -> float:
    begun = monotonic()
    served.get(path, token=TOKEN)
    return monotonic() - begun


@contextmanager
def open_files(count: int) -> Iterator[None]:
    """Let this process open `count` files, which a system may allow only to those that ask."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, most))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


def test_slow_and_huge_requests_leave_liveness_alone(server18: EmbeddedServer, folder: Path) -> None:
    with serving(server18.conninfo(), folder) as served, ExitStack() as stack:
        stack.enter_context(open_files(2_000))
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", served.port))) for _ in range(1_000)]
        for each in slow:
            each.sendall(b"GET /health HTTP/1.1\r\nHost:")
        huge = stack.enter_context(socket.create_connection(("127.0.0.1", served.port)))
        huge.settimeout(5)
        huge.sendall(b"POST /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 10485760\r\n\r\n" + bytes(65_536))
        assert b"405" in huge.recv(4096)
        endless = stack.enter_context(socket.create_connection(("127.0.0.1", served.port)))
        endless.settimeout(5)
        endless.sendall(b"GET /health HTTP/1.1\r\nX: " + b"a" * 100_000)
        assert b"400" in endless.recv(4096)

        taken = sorted(time_of(served, "/health/live") for _ in range(50))

        assert taken[len(taken) // 2] < 0.05


def test_connection_that_is_slow_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ShortConnection, "lifetime_s", 0.1)
    listening = listen("127.0.0.1", 0)
    running = server_of(application([], no_pool))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    with listening, socket.create_connection(listening.getsockname(), timeout=5) as slow:
        slow.sendall(b"GET /health HTTP/1.1\r\nHost:")

        assert slow.recv(1) == b""

        running.should_exit = True
        thread.join(5)
    assert not thread.is_alive()


def no_pool() -> Statistics:
    raise AssertionError("nobody asks for the pool")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_signal_ends_it_and_leaves_no_connection(
    server18: EmbeddedServer, folder: Path, number: signal.Signals, code: int
) -> None:
    with serving(server18.conninfo(), folder) as served, socket.create_connection(("127.0.0.1", served.port)):
        served.until("/health/ready", status="ok")

        served.process.send_signal(number)

        assert served.process.wait(10) == code
        assert "Traceback" not in (served.process.stderr.read() if served.process.stderr else "")


@pytest.mark.parametrize(
    ("configuration", "variables", "options", "said"),
    [
        ('[checks]\nx = "nowhere:f"', {}, [], "nowhere:f: No module named 'nowhere'"),
        ('[checks]\nx = "os:sep"', {}, [], "os:sep is not a function"),
        ('[checks]\nlive = "os:getcwd"', {}, [], "checks: live is a page of its own"),
        ('[checks]\nx = "os.getcwd"', {}, [], "trueup.toml"),
        ("", {"TRUEUP_HEALTH_TOKEN": "short"}, [], "TRUEUP_HEALTH_TOKEN has less than 16 characters"),
        ("", {}, ["--host=203.0.113.1"], "203.0.113.1:0: "),
        ("", {}, ["--host=no.such.host.invalid"], "no.such.host.invalid:0: "),
    ],
)
def test_wrong_configuration_is_said_before_it_serves(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    configuration: str,
    variables: dict[str, str],
    options: list[str],
    said: str,
) -> None:
    (tmp_path / "trueup.toml").write_text(configuration)
    monkeypatch.chdir(tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert run(["serve", "host=127.0.0.1 port=1", "--port=0", *options]) == 2
    assert said in capsys.readouterr().err
