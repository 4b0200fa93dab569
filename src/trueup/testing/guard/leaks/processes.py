"""Processes that were started and still run: children of this one, servers among them."""

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from trueup.testing.guard.gate import Owner
from trueup.testing.guard.leaks.leak import Leak

PATIENCE_S = 5.0
"""How long a child may take to end when it is asked to."""


def left_running(owner: Owner) -> Iterator[Leak]:
    """Yield the children that are alive."""
    started = {opening.thing: opening for opening in owner.opened if opening.kind in {"process", "server"}}
    for pid, opening in started.items():
        if not is_running_child(pid):
            continue
        if opening.kind == "server":
            what, end = "an EmbeddedServer was started and never closed", partial(close_server, pid)
        else:
            what, end = f"the process {pid} ({program(pid)}) still runs", partial(end_child, pid)
        yield Leak(kind=opening.kind, what=what, stack=opening.stack, end=end)


def is_running_child(pid: int) -> bool:
    """Return whether a process is a child of this one, or of its server of multiprocessing, and has not exited.

    Source: proc(5), /proc/pid/stat: the name may hold anything, so fields are counted from its closing parenthesis.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return False
    return fields[0] != b"Z" and int(fields[1]) in {os.getpid(), fork_server()}


def fork_server() -> int:
    """Return the process that multiprocessing forks others from; 0: there is none."""
    module = sys.modules.get("multiprocessing.forkserver")
    return getattr(getattr(module, "_forkserver", None), "_forkserver_pid", None) or 0


def program(pid: int) -> str:
    """Return the name of the program that a process runs; never its arguments, which may hold a password."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "gone"


def end_child(pid: int) -> None:
    """Ask a child to end, and kill it when it doesn't; whoever started it may still learn how it ended."""
    with suppress(OSError):
        process = os.pidfd_open(pid)
        try:
            for number in (signal.SIGTERM, signal.SIGKILL):
                if is_running_child(pid):
                    signal.pidfd_send_signal(process, number)
                    select.select([process], [], [], PATIENCE_S)
        finally:
            os.close(process)


def close_server(pid: int) -> None:
    """End a server and remove its files, by the process that watches over it."""
    keepers = sys.modules["trueup.servers.keeper"]
    for keeper in list(keepers.living):
        if keeper._process.pid == pid:  # noqa: SLF001
            keeper.close()
