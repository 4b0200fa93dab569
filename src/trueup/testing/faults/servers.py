"""A server that is restarted, gone, or frozen; only ever one that this process started."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trueup.errors import UsageError
from trueup.servers import EmbeddedServer

if TYPE_CHECKING:
    import psycopg

Mode = Literal["smart", "fast", "immediate", "kill"]
LONGEST_PAUSE_S = 60.0
"""After this a frozen server goes on, should its test hang."""
PROCESSES = Path("/proc")


def restart(server: EmbeddedServer, mode: Mode = "fast") -> None:
    """Stop a server and start it again with the same data at the same address; returns when it answers.

    smart waits until every client has left; fast ends them; immediate crashes; kill is the end of the main process
    alone, after which the others end by themselves.
    """
    with outage(server, mode):
        pass


@contextmanager
def outage(server: EmbeddedServer, mode: Mode = "fast") -> Iterator[None]:
    """Let a server be away as long as the block lasts; it answers again afterwards."""
    pid = server.pid
    if pid is None:
        raise UsageError(f"{server!r} does not run, so it can't be stopped")
    if mode == "kill":
        os.kill(pid, signal.SIGKILL)
        server.stop("immediate")  # waits for its end
    else:
        server.stop(mode)
    try:
        yield
    finally:
        server.start()


@contextmanager
def pause(server: EmbeddedServer, connection: "psycopg.Connection[Any] | None" = None) -> Iterator[None]:
    """Freeze every process of a server, or the one that serves a connection, as long as the block lasts.

    To clients it looks like a machine that hangs: their network still answers, and no timeout of the server's own
    works. It goes on after the block, and after 60 s at the latest.

    Raises:
        UsageError: the server doesn't run, or the connection is not to it.
    """
    postmaster = server.pid
    if postmaster is None:
        raise UsageError(f"{server!r} does not run, so it can't be frozen")
    frozen: list[int] = []
    wake = threading.Timer(LONGEST_PAUSE_S, lambda: thaw(frozen))
    wake.daemon = True
    try:
        freeze(postmaster, only=connection.info.backend_pid if connection else None, frozen=frozen)
        wake.start()
        yield
    finally:
        wake.cancel()
        thaw(frozen)


def freeze(postmaster: int, *, only: int | None, frozen: list[int]) -> None:
    """Stop the main process and then its children, or the child `only`; notes each in `frozen`.

    While the main process stands still, no child begins, and the number of one that ends is given to nobody.
    """
    stop(postmaster, frozen)
    children = children_of(postmaster)
    if only is not None and only not in children:
        raise UsageError(f"process {only} is none of the server's: give a connection to the server that is paused")
    for child in children if only is None else [only]:
        stop(child, frozen)
    if only is not None:
        thaw([postmaster])
        frozen.remove(postmaster)


def stop(pid: int, frozen: list[int]) -> None:
    """Stop one process; that it has ended is no error."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        frozen.append(pid)


def thaw(pids: list[int]) -> None:
    """Let processes go on, the last one that was stopped first."""
    for pid in reversed(pids):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def children_of(pid: int) -> list[int]:
    """Return the processes whose parent is `pid`."""
    found = []
    for entry in PROCESSES.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                # The name of the program, in parentheses, may hold anything; what follows it is the state.
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                if int(parent) == pid:
                    found.append(int(entry.name))
    return found
