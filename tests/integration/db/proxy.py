"""A wire to a server that can be cut, darkened and refused, at a moment that the bytes on it name."""

import socket
import struct
import threading
from contextlib import suppress
from typing import Literal, Self

from trueup.conninfo import ConnInfo

Action = Literal["cut before", "cut after", "dark before", "dark after"]


class Proxy:
    """Is a wire to a server: it passes, refuses, goes dark, or is cut where certain bytes come by.

    "before": the server never gets them. "after": it gets them, and its answer is lost.
    """

    def __init__(self, port: int) -> None:
        self.server_port = port
        self.is_lit = threading.Event()
        self.is_lit.set()
        self.is_refusing = False
        self.rules: list[tuple[bytes, Action]] = []
        self.is_over = False
        self.ends: list[socket.socket] = []
        self.accepted = 0
        self.flights = 0
        """Messages from clients, each of which a client waits for the answer of."""
        self.losing = False
        """Whether what is sent is lost for good, as in a network that drops packets; also on new connections."""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.is_over = True
        self.is_lit.set()
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()

    def conninfo(self, direct: ConnInfo) -> ConnInfo:
        return direct.with_parameters(port=str(self.port))

    def listen(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            if self.is_refusing:
                reset(client)
                continue
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        self.ends.append(client)
        if self.is_over:
            self.cut()
        if self.losing:
            return
        self.is_lit.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self.server_port))
        except OSError:
            reset(client)
            return
        self.ends.append(server)
        if self.is_over:
            self.cut()
            return
        threading.Thread(target=self.pump, args=(server, client), daemon=True).start()
        self.pump(client, server, watched=True)

    def pump(self, source: socket.socket, sink: socket.socket, *, watched: bool = False) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self.is_lit.wait()
                self.flights += watched
                rule = next((rule for rule in self.rules if rule[0] in data), None) if watched else None
                if rule is None:
                    sink.sendall(data)
                    continue
                self.rules.remove(rule)
                if rule[1].endswith("after"):
                    if rule[1] == "dark after":
                        self.is_lit.clear()
                    else:
                        silence(source)
                    sink.sendall(data)
                if rule[1] == "dark before":
                    self.is_lit.clear()
                    self.is_lit.wait()
                    sink.sendall(data)
                if rule[1].startswith("cut"):
                    break
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def on(self, pattern: bytes, action: Action) -> None:
        """Do `action` once, when a message from the client holds the pattern."""
        self.rules.append((pattern, action))

    def darken(self) -> None:
        """Pass nothing on any more; what was sent arrives when it is lit again."""
        self.is_lit.clear()

    def light(self) -> None:
        self.is_lit.set()

    def cut(self) -> None:
        """Reset every connection."""
        ends, self.ends = self.ends, []
        for end in ends:
            reset(end)


def silence(end: socket.socket) -> None:
    """Let nothing more be sent to a peer."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_WR)


def reset(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    end.close()
