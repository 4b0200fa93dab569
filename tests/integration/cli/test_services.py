"""`trueup services`: who holds connections, and whether their failures are reported."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from trueup.cli.exits import ExitCode
from trueup.db import connect

PAGES = {
    "live": b'{"status": "ok"}',
    "off": b'{"status": "warn"}',
    "unknown: a failure": b'{"status": "fail"}',
    "unknown: not a page of health": b"<html>",
    "unknown: no answer": b"",
}


@contextmanager
def answering(body: bytes) -> Iterator[int]:
    """Answer one request on a port of loopback; an empty body hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(5)

        def answer() -> None:
            peer, _ = listening.accept()
            with peer:
                peer.recv(4096)
                if body:
                    status = b"503 Service Unavailable" if b"fail" in body else b"200 OK"
                    head = b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
                    peer.sendall(head % (status, len(body)) + body)

        thread = threading.Thread(target=answer)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(5)


def configure(tmp_path, health: str = "") -> None:
    (tmp_path / "trueup.toml").write_text(
        f'[[services]]\nname = "api"\nconnections = 2\n{health}\n[[services]]\nname = "worker"\nprocesses = 4\n'
    )


def test_connections_of_each_service_are_counted(trueup, databases, tmp_path):
    """W-P5: what is open is held against what each service declares, not against a comment.

    W-H12: a command showed the pool of its own process, which was always empty.
    """
    configure(tmp_path)
    with ExitStack() as stack:
        for name in ("api:11", "api:12", "stranger:13"):
            stack.enter_context(connect(databases.target, application_name=name))

        done = trueup("services", databases.target, "--json")
        shown = trueup("services", databases.target)

    api, worker = done.json["services"]
    assert done.code == ExitCode.PASSED
    assert (api["name"], api["connections"], api["most"]) == ("api", 2, 2)
    assert api["last_seen"]
    assert (worker["connections"], worker["most"], worker["last_seen"]) == (0, 12, None)
    assert "2 of 2" in shown.out
    assert "not connected" in shown.out


def test_service_that_holds_too_many_fails(trueup, databases, tmp_path):
    configure(tmp_path)
    with ExitStack() as stack:
        for number in range(3):
            stack.enter_context(connect(databases.target, application_name=f"api:{number}"))

        assert trueup("services", databases.target).code == ExitCode.FAILED


@pytest.mark.parametrize("tracking", PAGES)
def test_tracking_is_what_the_service_says_itself(trueup, databases, tmp_path, tracking):
    """W-H13: an answer of 503 was taken for none, whatever it said."""
    with answering(PAGES[tracking]) as port:
        configure(tmp_path, health=f'health = "http://127.0.0.1:{port}/health"')

        done = trueup("services", databases.target, "--json")

    assert [one["tracking"] for one in done.json["services"]] == [tracking, "unknown: declares no health"]


def test_without_a_declared_service_there_is_nothing_to_show(trueup, databases):
    done = trueup("services", databases.target)

    assert done.code == ExitCode.USAGE
    assert "no service is declared" in done.err
