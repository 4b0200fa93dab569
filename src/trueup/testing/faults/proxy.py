"""A wire to a server that can be cut, darkened, slowed and refused, at a moment that the bytes on it name."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from ipaddress import ip_address
from types import TracebackType
from typing import Self

from trueup.conninfo import ConnInfo
from trueup.errors import UsageError
from trueup.testing.faults.link import Link, reset
from trueup.testing.faults.wire import Action, Fault, Wire

LOOPBACK = "127.0.0.1"
FAREWELL_S = 5.0
"""How long the threads of a wire may take to end."""
READABLE = {"sslmode": "disable", "gssencmode": "disable"}
"""The bytes must be readable to be waited for; nobody else is on loopback."""
UNREADABLE = {"sslnegotiation": "postgres", "channel_binding": "disable"}
"""What has to go along with that, where it was asked for."""


class Proxy(Wire):
    """Is a wire to a server: it passes, refuses, goes dark, is slow, or breaks where certain bytes come by.

    It listens on 127.0.0.1, and leads to a server on a unix socket or on loopback, without TLS: it has to read what
    passes. A pattern is searched in all that a client sends at a time; it happens once, and then the wire is whole.
    The exit cuts every connection.
    """

    def __init__(self, server: ConnInfo) -> None:
        """Take the address of a server; its database and user are what `conninfo` leads to.

        Raises:
            UsageError: it isn't on this machine, or names no single host.
        """
        super().__init__(address_of(server))
        self.server = server
        self.is_swallowing = False
        self.accepted = 0
        """Connections that clients opened, refused ones excepted."""
        self._links: set[Link] = set()
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._listen()

    def __repr__(self) -> str:
        return f"<Proxy on port {self.port} to {self.server}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
        if error is None and self.failures:
            raise self.failures[0]

    def close(self) -> None:
        """Cut every connection and wait for the threads; a second time does nothing."""
        hang_up(self._listener)
        self.cut()
        with self._lock:
            self.is_over.set()
            self.light()
        for thread in list(self._threads):
            if thread is not threading.current_thread():
                thread.join(FAREWELL_S)

    @property
    def conninfo(self) -> ConnInfo:
        """Return how to connect over this wire."""
        return self.through(self.server)

    def through(self, direct: ConnInfo) -> ConnInfo:
        """Return how to connect over this wire to another database of the same server, or as another role."""
        plain = {**READABLE, **{name: value for name, value in UNREADABLE.items() if name in direct.parameters}}
        if "hostaddr" in direct.parameters:
            plain["hostaddr"] = LOOPBACK
        return direct.with_parameters(**plain, host=LOOPBACK, port=str(self.port))

    @property
    def pending(self) -> tuple[Fault, ...]:
        """Return what has not happened yet."""
        return tuple(self._faults)

    def on(self, pattern: bytes, action: Action) -> None:
        """Break once, when a client sends `pattern`.

        cut: the connection is closed; lost: it stays open, and nothing comes through any more, in both directions;
        dark: nothing comes through on any connection until `light`. before: the server never gets these bytes; after:
        it has got and answered them, and the answer is lost; behind: it gets them, and may be still at work when the
        client hears of the cut.
        """
        self._faults.append(Fault(pattern=pattern, action=action))

    def before(self, pattern: bytes, call: Callable[[], object]) -> None:
        """Call once, when a client has sent `pattern` and the server has not got it yet."""
        self._faults.append(Fault(pattern=pattern, call=call))

    def after(self, pattern: bytes, call: Callable[[], object]) -> None:
        """Call once, when the server has answered `pattern` and the client has not heard of it yet."""
        self._faults.append(Fault(pattern=pattern, call=call, is_called_before=False))

    def forget(self) -> None:
        """Let nothing happen any more that has not happened yet."""
        self._faults.clear()

    def cut(self) -> None:
        """Reset every connection."""
        for link in list(self._links):
            link.reset()

    def lose(self) -> None:
        """Leave every connection open at both ends, and let nothing come through on it any more."""
        for link in list(self._links):
            link.is_lost = True

    def refuse(self) -> None:
        """Refuse new connections, as a port does where nobody listens; those that are open go on."""
        hang_up(self._listener)
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((LOOPBACK, self.port))  # bound, so that nobody else gets the port meanwhile

    def swallow(self) -> None:
        """Accept new connections and never answer them, as a network does that drops packets."""
        self.is_swallowing = True

    def slow(self, *, delay_s: float = 0.0, bytes_per_s: float = 0.0) -> None:
        """Let everything arrive `delay_s` later, in each direction, and no more than `bytes_per_s` (0: any number)."""
        self.delay_s, self.bytes_per_s = delay_s, bytes_per_s

    def restore(self) -> None:
        """Be a good wire again; what was lost stays lost."""
        self.slow()
        self.is_swallowing = False
        self.light()
        if not is_listening(self._listener):
            self._listener.listen()
            self._listen()

    def _listen(self) -> None:
        listener = self._listener
        self.start_thread(partial(self._accept, listener))

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.accepted += 1
            link = Link(self, client)
            self._links.add(link)
            if self.is_over.is_set():
                reset(client)
            elif not self.is_swallowing:
                self.start_thread(partial(self._serve, link))

    def _serve(self, link: Link) -> None:
        try:
            link.run()
        finally:
            self._links.discard(link)


def address_of(server: ConnInfo) -> str | tuple[str, int]:
    """Return the path of a server's unix socket, or its host and port on loopback.

    Raises:
        UsageError: it isn't on this machine, or names no single host.
    """
    host = server.parameters.get("hostaddr") or server.parameters.get("host", "")
    port = server.parameters.get("port") or "5432"
    if host.startswith("/") and "," not in host:
        return f"{host}/.s.PGSQL.{port}"
    if host == "localhost":
        return ("localhost", int(port))
    try:
        is_own = ip_address(host).is_loopback
    except ValueError:
        is_own = False
    if not is_own:
        raise UsageError(
            f"a wire to {server} is refused: it leads to one server on this machine, host=127.0.0.1 or the folder of"
            " a unix socket"
        )
    return (host, int(port))


def is_listening(listener: socket.socket) -> bool:
    """Say whether a socket accepts connections."""
    with suppress(OSError):
        return bool(listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    return False


def hang_up(listener: socket.socket) -> None:
    """Close a listening socket, and wake the thread that waits at it."""
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
