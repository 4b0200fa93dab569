"""A wire to a server that can be cut, darkened and refused, at a moment that the bytes on it name."""

import socket
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, Self

from trueup.conninfo import ConnInfo

if TYPE_CHECKING:
    from collections.abc import Callable

Action = Literal["cut before", "cut after", "lost before", "lost after", "dark before"]


class Proxy:
    """Is a wire to a server: it passes, refuses, goes dark, or breaks where certain bytes come by.

    cut: the connection is closed; lost: it stays open, and nothing comes through any more; dark: nothing comes through
    until it is lit again. before: the server never gets these bytes; after: it does, and its answer is lost.
    """

    def __init__(self, port: int) -> None:
        self.server_port = port
        self.is_lit = threading.Event()
        self.is_lit.set()
        self.is_refusing = False
        self.rules: list[tuple[bytes, Action]] = []
        self.lock = threading.Lock()
        self.is_over = False
        self.muted: set[socket.socket] = set()
        self.ends: list[socket.socket] = []
        self.stops: list[tuple[bytes, Callable[[], object]]] = []
        """What is done, once, before a message with certain bytes goes on to the server."""
        self.afters: list[Callable[[], object]] = []
        """What is done, once, when the server has answered and the answer is lost."""
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
        back = threading.Thread(target=self.pump, args=(server, client), daemon=True)
        back.start()
        self.pump(client, server, watched=True)
        back.join()
        for end in (client, server):
            with suppress(ValueError):
                self.ends.remove(end)
            end.close()

    def pump(self, source: socket.socket, sink: socket.socket, *, watched: bool = False) -> None:
        """Pass on what comes from `source`; the client's side is watched for the rules."""
        with suppress(OSError):
            while data := source.recv(65536):
                self.is_lit.wait()
                if sink in self.muted and self.afters:
                    self.afters.pop()()
                if {source, sink} & self.muted:
                    continue
                stop = next((stop for stop in self.stops if stop[0] in data), None) if watched else None
                if stop is not None:
                    self.stops.remove(stop)
                    stop[1]()
                self.flights += watched
                rule = self.take_rule(data) if watched else None
                if rule is None or self.obey(rule[1], source):
                    sink.sendall(data)
                if rule is not None and rule[1].startswith("cut"):
                    break
        if {source, sink} & self.muted and watched:
            return  # The server never learns that a lost client is gone.
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def take_rule(self, data: bytes) -> tuple[bytes, Action] | None:
        with self.lock:
            place = next((place for place, rule in enumerate(self.rules) if rule[0] in data), None)
            return None if place is None else self.rules.pop(place)

    def obey(self, action: Action, client: socket.socket) -> bool:
        """Do what a rule says, and return whether the message goes on to the server."""
        if action.startswith("lost"):
            self.muted.add(client)
        elif action == "cut after":
            silence(client)
        elif action == "dark before":
            self.is_lit.clear()
            self.is_lit.wait()
        return action != "lost before" and action != "cut before"

    def on(self, pattern: bytes, action: Action) -> None:
        """Do `action` once, when a message from the client holds the pattern."""
        self.rules.append((pattern, action))

    def darken(self) -> None:
        """Pass nothing on any more; what was sent arrives when it is lit again."""
        self.is_lit.clear()

    def light(self) -> None:
        self.is_lit.set()

    def lose(self) -> None:
        """Let nothing come through any more on the connections there are."""
        self.muted.update(self.ends)

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
