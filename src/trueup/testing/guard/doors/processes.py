"""Processes: whoever starts one answers for it, whichever of Python's ways it is started by."""

import os
import subprocess
from collections.abc import Callable
from functools import partial
from sys import _getframe
from typing import Any

from trueup.testing.guard.doors.changes import Changes
from trueup.testing.guard.doors.threads import owner_of
from trueup.testing.guard.gate import Gate
from trueup.testing.guard.stacks import BETWEEN, SERVERS, RawStack, capture, lies_in


def guard_processes(gate: Gate, changes: Changes) -> None:
    """Note every process that is started; one that is started by way of another of these is noted again."""
    changes.replace(subprocess.Popen, "__init__", partial(noting_program, gate))
    for name in ("fork", "posix_spawn", "posix_spawnp"):
        changes.replace(os, name, partial(noting_number, gate, lambda found: found))
    changes.replace(os, "forkpty", partial(noting_number, gate, lambda found: found[0]))


def guard(gate: Gate, changes: Changes) -> None:
    """Note the processes of multiprocessing, which its server starts, or its own function of C."""
    from multiprocessing.process import BaseProcess  # noqa: PLC0415  It is being loaded.

    def noting(original: Callable[[Any], None]) -> Callable[[Any], None]:
        def start(self: Any) -> None:
            original(self)
            gate.note("process", self.pid, capture(), owner_of(_getframe(1), gate))

        return start

    changes.replace(BaseProcess, "start", noting)


def noting_program(gate: Gate, original: Callable[..., None]) -> Callable[..., None]:
    """Note a process of subprocess, or the server whose reaper it is."""

    def construct(self: Any, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **options)
        stack = capture()
        caller = next((code.co_filename for code, _ in stack if not lies_in(code.co_filename, BETWEEN)), "")
        if caller.startswith(SERVERS):
            gate.note("server", self.pid, beyond(stack, SERVERS))
        else:
            gate.note("process", self.pid, stack)

    return construct


def noting_number(gate: Gate, pid_of: Callable[[Any], int], original: Callable[..., Any]) -> Callable[..., Any]:
    """Note what a function returns; 0 says that this is the new process itself."""

    def start(*arguments: Any, **options: Any) -> Any:
        found = original(*arguments, **options)
        if pid := pid_of(found):
            gate.note("process", pid, capture(), owner_of(_getframe(1), gate))
        return found

    return start


def beyond(stack: RawStack, folder: str) -> RawStack:
    """Return the stack of who called into a folder's code from outside."""
    inside = [number for number, (code, _) in enumerate(stack) if code.co_filename.startswith(folder)]
    return stack[max(inside) + 1 :]
