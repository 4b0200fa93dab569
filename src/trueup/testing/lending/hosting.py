"""Who has the servers of a run: the process that all others depend on, which starts each when the first one asks.

Under xdist that is the controller. It runs no test, so it can't see that one needs a database: its workers ask. They
reach it by a socket that has a name but no file, so nothing is left of it, however either side ends.
"""

import json
import os
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from trueup import errors
from trueup.errors import ServerUnavailable, TrueupError
from trueup.testing.options import Options, Server

if TYPE_CHECKING:
    from trueup.testing.lending.host import Host

T = TypeVar("T")
CREDENTIALS = struct.Struct("3i")
"""What SO_PEERCRED tells: process, user, group."""
NAME_BYTES = 64
"""What the name of a server fits into."""
PATIENCE_S = 10.0
"""How long a worker that has called may take to say which server it wants."""


class Hosting:
    """Starts a server of a run on the first ask, and ends it."""

    def __init__(self, server: Server, options: Options, run: str) -> None:
        self.server = server
        self.options = options
        self.run = run
        self.host: Host | None = None
        self.failure: Exception | None = None
        self._change = threading.Lock()
        self._stack = ExitStack()

    def open(self) -> "Host":
        """Return the server of the run, started when this is the first ask; what failed once is not tried again.

        Raises:
            TrueupError: there is none; with the reason.
        """
        from trueup.settings import Settings  # noqa: PLC0415  A run that needs no database must not wait for these.
        from trueup.testing.lending.host import started  # noqa: PLC0415

        with self._change:
            if self.failure is not None:
                raise self.failure
            if self.host is None:
                try:
                    settings = Settings.load(self.options.folder)
                    self.host = self._stack.enter_context(started(self.server, self.options, settings, self.run))
                except Exception as error:
                    self.failure = error
                    raise
            return self.host

    def close(self) -> None:
        """End the server, if one was started."""
        with self._change:
            self.failure = self.failure or ServerUnavailable("the run is over")
            self.host = None
            self._stack.close()


class Hostings:
    """Has all servers of a run: those that it was told of, and those that tests ask for."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.run = os.urandom(4).hex()
        """The id of the run."""
        self.known: dict[Server, Hosting] = {}
        self._change = threading.Lock()

    def on(self, server: Server) -> Hosting:
        """Return who has a server."""
        with self._change:
            return self.known.setdefault(server, Hosting(server, self.options, self.run))

    def close(self) -> None:
        """End all that were started."""
        with ExitStack() as stack:
            for hosting in self.known.values():
                stack.callback(hosting.close)


def begun(work: Callable[[], T]) -> Callable[[], T]:
    """Begin some work in a thread; return what waits for its result, or raises what it has raised."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001  It is raised where it is waited for.
            errors.append(error)

    def wait() -> T:
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    thread = threading.Thread(target=run, name="trueup-host", daemon=True)
    thread.start()
    return wait


@contextmanager
def short_turns() -> Iterator[None]:
    """Let threads take turns ten times as often: one that writes many small files waits for its turn after each."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(usual_s / 10)
    try:
        yield
    finally:
        sys.setswitchinterval(usual_s)


class Reception:
    """Answers the workers of a run that ask for one of its servers."""

    def __init__(self, hostings: Hostings) -> None:
        self.hostings = hostings
        self.address = f"trueup-{hostings.run}-{os.urandom(16).hex()}"
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(f"\0{self.address}")
        self._socket.listen(64)
        self._thread = threading.Thread(target=self._serve, name="trueup-reception", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer nobody any more."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:
                return
            with visitor, suppress(OSError):
                if is_ours(visitor):
                    visitor.settimeout(PATIENCE_S)
                    asked = visitor.recv(NAME_BYTES).decode()
                    visitor.sendall(json.dumps(self._answer(asked)).encode())

    def _answer(self, name: str) -> dict[str, Any]:
        try:
            host = self.hostings.on(self.hostings.options.named(name)).open()
        except TrueupError as error:
            return {"error": type(error).__name__, "message": str(error)}
        except Exception as error:  # noqa: BLE001  Whatever it is, the worker has to hear of it.
            return {"error": "ServerUnavailable", "message": f"{type(error).__name__}: {error}"}
        # What a provided server is reached by, the worker was told as well; a password in it stays where it is.
        return {"run": host.run, "parameters": dict(host.conninfo.parameters) if host.is_embedded else None}


def is_ours(visitor: socket.socket) -> bool:
    """Say whether the other end of a socket belongs to the same user."""
    _, user, _ = CREDENTIALS.unpack(visitor.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))
    return bool(user == os.geteuid())


def visit(address: str, server: Server) -> "Host":
    """Return a server of the run, from a worker; waits until it is started.

    Raises:
        TrueupError: the controller could not start it; the reason is the same there.
    """
    from trueup.conninfo import ConnInfo  # noqa: PLC0415  As above.
    from trueup.testing.lending.host import Host  # noqa: PLC0415

    answer = read_answer(address, server.name)
    if "error" in answer:
        raise getattr(errors, answer["error"], ServerUnavailable)(answer["message"])
    parameters = answer["parameters"]
    conninfo = ConnInfo(MappingProxyType(parameters)) if parameters else ConnInfo.parse(server.text)
    return Host(conninfo=conninfo, run=answer["run"], is_embedded=parameters is not None)


def read_answer(address: str, name: str) -> Mapping[str, Any]:
    """Return what the controller says about the server of a name."""
    try:
        with socket.socket(socket.AF_UNIX) as visit:
            visit.connect(f"\0{address}")
            if not is_ours(visit):
                raise ServerUnavailable("somebody else answers for the controller of this run")
            visit.sendall(name.encode())
            whole = b"".join(iter(lambda: visit.recv(4096), b""))
            found: Mapping[str, Any] = json.loads(whole)
            return found
    except (OSError, ValueError) as error:
        raise ServerUnavailable(
            f"the controller of this run, which has the server, does not answer ({error}): it was ended, or this worker"
            " is on another machine, where tests with databases can't run"
        ) from error
