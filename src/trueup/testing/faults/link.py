"""One connection over a wire, from its client to the server and back."""

import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import monotonic

from trueup.testing.faults.messages import Messages
from trueup.testing.faults.wire import Action, Fault, Wire

PIECE_BYTES = 1 << 16
PIECES_PER_S = 50
"""How smoothly a slow wire flows."""
POLL_S = 0.05
"""How soon what carries delayed bytes notices that the wire is over."""


class Link:
    """Is one connection: two sockets, and what passes between them."""

    def __init__(self, wire: Wire, client: socket.socket) -> None:
        self.wire = wire
        self.client = client
        self.server: socket.socket | None = None
        self.is_lost = False
        """Nothing comes through any more, and neither end is told."""
        self.is_cut = False
        """Nothing comes through any more, and both ends are told."""
        self.on_answer: Callable[[], object] | None = None

    def run(self) -> None:
        """Connect to the server and pass on in both directions, until one end is closed."""
        self.wire.is_lit.wait()
        try:
            self.server = connect_to(self.wire.address)
            for end in (self.client, self.server):
                without_gathering(end)
        except OSError:
            self.reset()
            return
        if self.wire.is_over.is_set():
            self.reset()
        requests, answers = Flow(self.wire, self.server), Flow(self.wire, self.client)
        back = self.wire.start_thread(lambda: self.pass_answers(answers))
        self.pass_requests(requests)
        back.join()
        for flow in (requests, answers):
            flow.await_end()
            flow.sink.close()

    def pass_requests(self, flow: "Flow") -> None:
        """Pass on what the client sends; a fault may stop it, or end the connection."""
        with suppress(OSError):
            for data in flights(self.client):
                self.wire.is_lit.wait()
                if not self.is_lost and not self.take_on(data, flow):
                    self.close()
                    break
        if not self.is_lost:
            flow.end()

    def take_on(self, data: bytes, flow: "Flow") -> bool:
        """Pass on what was sent at a time, and return whether the connection lasts."""
        self.wire.flights += 1
        fault = self.wire.take_fault(data)
        if fault is not None and fault.action is not None:
            return self.suffer(fault.action, data, flow)
        if fault is not None:
            self.prepare(fault)
        if not self.is_lost:
            flow.give(data)
        return True

    def prepare(self, fault: Fault) -> None:
        """Call what is due before these bytes go on, or remember what is due at their answer."""
        assert fault.call
        if fault.is_called_before:
            self.wire.call(fault.call)
        else:
            self.on_answer = fault.call

    def suffer(self, action: Action, data: bytes, flow: "Flow") -> bool:
        """Do what a fault says, and return whether the connection lasts."""
        if action.startswith("lost"):
            self.is_lost = True
        elif action == "cut behind":
            silence(self.client)
        elif action == "cut after":
            self.on_answer = self.cut
        elif action == "dark before":
            self.wire.darken()
            self.wire.is_lit.wait()
        if action not in {"lost before", "cut before"}:
            flow.give(data)
        return action not in {"cut before", "cut behind"}

    def cut(self) -> None:
        """Let the answer that came, and all that follows, be lost."""
        self.is_cut = True

    def pass_answers(self, flow: "Flow") -> None:
        """Pass on what the server sends."""
        assert self.server
        with suppress(OSError):
            while data := self.server.recv(PIECE_BYTES):
                self.wire.is_lit.wait()
                if call := self.on_answer:
                    self.on_answer = None
                    self.wire.call(call)
                if self.is_cut:
                    break
                if not self.is_lost:
                    flow.give(data)
        if not self.is_lost:
            flow.end()
            self.close()

    def close(self) -> None:
        """End both directions as soon as what is under way has arrived."""
        for end in (self.client, self.server):
            if end is not None:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RD)

    def reset(self) -> None:
        """Break both connections off."""
        for end in (self.client, self.server):
            if end is not None:
                reset(end)


class Flow:
    """Is one direction of a connection: what it is given arrives, later where the wire is slow."""

    def __init__(self, wire: Wire, sink: socket.socket) -> None:
        self.wire, self.sink = wire, sink
        self.under_way: deque[tuple[float, bytes]] = deque()
        self.change = threading.Condition()
        self.carrier: threading.Thread | None = None
        """Once something waits, all that follows has to."""

    def give(self, data: bytes) -> None:
        """Send, now or when it is due."""
        if self.carrier is None and not self.wire.delay_s:
            self.send(data)
            return
        with self.change:
            self.under_way.append((monotonic() + self.wire.delay_s, data))
            self.change.notify()
        if self.carrier is None:
            self.carrier = self.wire.start_thread(self.carry)

    def end(self) -> None:
        """Tell the sink that nothing follows, after what is under way."""
        if self.carrier is None:
            silence(self.sink)
        else:
            self.give(b"")

    def await_end(self) -> None:
        """Return when nothing is under way any more."""
        if self.carrier is not None:
            self.carrier.join()

    def carry(self) -> None:
        """Send each piece when it is due; an empty one is the end."""
        while not self.wire.is_over.is_set():
            with self.change:
                if not self.change.wait_for(lambda: self.under_way, POLL_S):
                    continue
                due, data = self.under_way.popleft()
            self.wire.is_over.wait(max(0.0, due - monotonic()))
            if not data:
                silence(self.sink)
                return
            with suppress(OSError):
                self.send(data)

    def send(self, data: bytes) -> None:
        """Send, no faster than the wire allows."""
        while data and (rate := self.wire.bytes_per_s) and not self.wire.is_over.is_set():
            size = max(1, round(rate / PIECES_PER_S))
            self.wire.is_over.wait(min(size, len(data)) / rate)
            self.sink.sendall(data[:size])
            data = data[size:]
        if data:
            self.sink.sendall(data)


def flights(client: socket.socket) -> Iterator[bytes]:
    """Give what a client sends, as much at a time as the server can act on."""
    messages = Messages()
    pieces: list[bytes] = []
    while piece := client.recv(PIECE_BYTES):
        pieces.append(piece)
        if messages.take(piece):
            yield b"".join(pieces)
            pieces.clear()
    if pieces:
        yield b"".join(pieces)


def connect_to(address: str | tuple[str, int]) -> socket.socket:
    """Return a connection to a unix socket, or to a host and port."""
    if isinstance(address, tuple):
        return socket.create_connection(address)
    found = socket.socket(socket.AF_UNIX)
    try:
        found.connect(address)
    except OSError:
        found.close()
        raise
    return found


def without_gathering(end: socket.socket) -> None:
    """Let small pieces leave at once."""
    if end.family != socket.AF_UNIX:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def silence(end: socket.socket) -> None:
    """Let nothing more be sent to a peer, and tell it so."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_WR)


def reset(end: socket.socket) -> None:
    """Break a connection off, whatever is under way."""
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    end.close()
