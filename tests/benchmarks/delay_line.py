"""A wire to a server of a known length: what goes in comes out after a delay, in both directions.

It runs in a process of its own, so that it takes nothing from the one that is measured.
"""

import contextlib
import multiprocessing
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from threading import Condition, Event, Thread
from time import monotonic

from trueup.conninfo import ConnInfo


@contextmanager
def delay_line(direct: ConnInfo, round_trip_s: float) -> Iterator[ConnInfo]:
    """Give the way to a server on 127.0.0.1 over a wire with that round trip."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=run, args=(there, int(direct.parameters["port"]), round_trip_s / 2), daemon=True)
    process.start()
    try:
        yield direct.with_parameters(port=str(here.recv()))
    finally:
        process.kill()
        process.join()


def run(pipe: Pipe, server_port: int, delay_s: float) -> None:
    """Serve every client until this process is ended."""
    listener = socket.create_server(("127.0.0.1", 0))
    pipe.send(listener.getsockname()[1])
    while True:
        client, _ = listener.accept()
        server = socket.create_connection(("127.0.0.1", server_port))
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Direction(client, server, delay_s).start()
        Direction(server, client, delay_s).start()


class Direction:
    """Is one direction of one connection."""

    def __init__(self, source: socket.socket, sink: socket.socket, delay_s: float) -> None:
        self.source = source
        self.sink = sink
        self.delay_s = delay_s
        self.under_way: deque[tuple[float, bytes]] = deque()
        self.change = Condition()

    def start(self) -> None:
        Thread(target=self.take, daemon=True).start()
        Thread(target=self.give, daemon=True).start()

    def take(self) -> None:
        """Note when each piece came in; an empty one is the end."""
        data = b"-"
        while data:
            data = b""
            with contextlib.suppress(OSError):
                data = self.source.recv(1 << 18)
            with self.change:
                self.under_way.append((monotonic() + self.delay_s, data))
                self.change.notify()

    def give(self) -> None:
        """Pass each piece on when it is due."""
        never = Event()
        while True:
            with self.change:
                self.change.wait_for(lambda: self.under_way)
                due, data = self.under_way.popleft()
            never.wait(max(0.0, due - monotonic()))
            with contextlib.suppress(OSError):
                if not data:
                    self.sink.shutdown(socket.SHUT_WR)
                    return
                self.sink.sendall(data)
