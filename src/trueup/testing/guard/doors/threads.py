"""Threads and processes: whoever starts one answers for it, and for what it opens."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from trueup.testing.guard.gate import OUTSIDE, STARTER, Gate, Owner
from trueup.testing.guard.stacks import PACKAGE, SERVERS, SITE, STARTED, RawStack, capture

if TYPE_CHECKING:
    from trueup.testing.guard.doors.imports import Changes

OF_POOLS = (f"{PACKAGE}/db/", f"{SITE}/psycopg_pool/")
"""Who starts the threads of pools: those end with their pool."""
EXECUTORS: "WeakKeyDictionary[Any, Owner]" = WeakKeyDictionary()
PLUMBING = frozenset({threading.__file__, subprocess.__file__, __file__})


def guard_threads(gate: Gate, changes: "Changes") -> None:
    """Note every thread that is started."""

    def noting(original: Callable[..., None]) -> Callable[..., None]:
        def start(self: threading.Thread) -> None:
            stack = capture()
            STARTED[self] = stack
            owner = owner_of(sys._getframe(1), gate)  # noqa: SLF001
            if owner is not OUTSIDE:
                setattr(self, STARTER, owner)
            original(self)
            if not starter(stack).startswith(OF_POOLS):
                gate.note("thread", ref(self), stack, owner)

        return start

    changes.replace(threading.Thread, "start", noting)


def owner_of(frame: FrameType, gate: Gate) -> Owner:
    """Return who answers for a thread: for those of an executor, who made that."""
    executor = frame.f_locals.get("self") if frame.f_code.co_filename.endswith("concurrent/futures/thread.py") else None
    return EXECUTORS.get(executor, gate.owner) if executor is not None else gate.owner


def guard(gate: Gate, changes: "Changes") -> None:
    """Note who makes executors: they start their threads when somebody else first needs them."""
    from concurrent.futures.thread import ThreadPoolExecutor  # noqa: PLC0415  Loaded by now, or not needed.

    def noting(original: Callable[..., None]) -> Callable[..., None]:
        def construct(self: Any, *arguments: Any, **options: Any) -> None:
            original(self, *arguments, **options)
            EXECUTORS[self] = gate.owner

        return construct

    changes.replace(ThreadPoolExecutor, "__init__", noting)


def starter(stack: RawStack) -> str:
    """Return the file whose code started a thread or a process."""
    return next((code.co_filename for code, _ in stack if code.co_filename not in PLUMBING), "")


def beyond(stack: RawStack, folder: str) -> RawStack:
    """Return the stack of who called into a folder's code from outside."""
    inside = [number for number, (code, _) in enumerate(stack) if code.co_filename.startswith(folder)]
    return stack[max(inside) + 1 :]


def guard_processes(gate: Gate, changes: "Changes") -> None:
    """Note every process that is started."""

    def noting(original: Callable[..., None]) -> Callable[..., None]:
        def construct(self: Any, *arguments: Any, **options: Any) -> None:
            original(self, *arguments, **options)
            stack = capture()
            by_server = starter(stack).startswith(SERVERS)
            gate.note("server" if by_server else "process", self.pid, beyond(stack, SERVERS) if by_server else stack)

        return construct

    def noting_fork(original: Callable[[], int]) -> Callable[[], int]:
        def fork() -> int:
            pid = original()
            if pid:
                gate.note("process", pid, capture())
            return pid

        return fork

    changes.replace(subprocess.Popen, "__init__", noting)
    changes.replace(os, "fork", noting_fork)
