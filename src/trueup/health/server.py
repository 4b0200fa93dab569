"""The server of the pages of health: stays answering under connections that are slow, large, or many."""

import asyncio
import resource
import socket

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

DRAIN_S = 10
FILES = 16_384
"""The most connections and other files that may be open, where the system allows it."""


class ShortConnection(H11Protocol):
    """Is a connection that can't be kept open by being slow."""

    lifetime_s = 10.0
    """After which it is cut, whatever it does: a page takes a millisecond."""
    ending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, and know when to end."""
        super().connection_made(transport)
        self.ending = self.loop.call_later(self.lifetime_s, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if self.ending is not None:
            self.ending.cancel()
        super().connection_lost(exc)


def serve(app: Starlette, listening: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests in hand within 10 s; either signal is raised again."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES if most == resource.RLIM_INFINITY else min(FILES, most), most))
    server_of(app).run(sockets=[listening])


def server_of(app: Starlette) -> uvicorn.Server:
    """Return the server of an application, which listens nowhere yet."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=ShortConnection,
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=DRAIN_S,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address; port 0 is any free one.

    Raises:
        OSError: the address is in use, is not this machine's, or needs privileges.
    """
    ((family, _, _, _, address), *_) = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return socket.create_server(address[:2], family=family, backlog=2048)
