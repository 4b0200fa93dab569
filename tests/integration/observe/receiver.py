"""A server that takes envelopes by HTTP, keeps every byte it was sent, and answers as it is told."""

import gzip
import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import Any

from trueup.conninfo import Secret


class Receiver:
    """Listens on loopback from `start` to `stop`, and again on the same port after that."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        """Head and body of each request, the body unpacked."""
        self.events: list[dict[str, Any]] = []
        """What it answered with 200."""
        self.status = 200
        self.headers: dict[str, str] = {}
        self.seconds = 0.0
        """How long an answer takes."""
        self.idle = threading.Event()
        self.port = 0
        self.start()

    def start(self) -> None:
        self.server = Server(("127.0.0.1", self.port), handler(self))
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.server.hang_up()

    @property
    def dsn(self) -> Secret:
        return Secret(f"http://s3cr3tkey@127.0.0.1:{self.port}/7")

    @property
    def errors(self) -> list[dict[str, Any]]:
        return [event for event in self.events if event.get("type") != "transaction"]

    @property
    def traces(self) -> list[dict[str, Any]]:
        return [event for event in self.events if event.get("type") == "transaction"]

    def take(self, head: bytes, body: bytes) -> int:
        envelope = gzip.decompress(body)
        self.raw.append(head + envelope)
        if self.seconds:
            self.idle.wait(self.seconds)
        if self.status == 200:
            lines = envelope.split(b"\n")
            self.events += [json.loads(payload) for payload in lines[2::2] if payload]
        return self.status


class Server(ThreadingHTTPServer):
    """Knows its clients, so that none of their threads has to outlive a test."""

    def __init__(self, *arguments: Any) -> None:
        self.clients: set[socket.socket] = set()
        super().__init__(*arguments)

    def get_request(self) -> tuple[socket.socket, Any]:
        client, address = super().get_request()
        self.clients.add(client)
        return client, address

    def shutdown_request(self, request: Any) -> None:
        self.clients.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End the connections of clients who keep them for another request, and with them their threads."""
        for client in list(self.clients):
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up."""


def handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            head = f"{self.requestline}\n{self.headers}".replace("s3cr3tkey", "").encode()
            self.send_response(receiver.take(head, body))
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *arguments: Any) -> None:
            pass

    return Handler


def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait for a condition, looking every few milliseconds."""
    deadline, pause = monotonic() + seconds, threading.Event()
    while not condition():
        assert monotonic() < deadline, "it did not come about in time"
        pause.wait(0.005)
