"""Threads: whoever starts one answers for it, and for what it opens."""

import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary, ref

from trueup.testing.guard.doors.changes import Changes
from trueup.testing.guard.gate import OUTSIDE, STARTER, Gate, Owner
from trueup.testing.guard.stacks import PACKAGE, SITE, STANDARD, STARTED, RawStack, capture

OF_POOLS = (f"{PACKAGE}/db/", f"{SITE}/psycopg_pool/")
"""Who starts the threads of pools: those end with their pool."""
EXECUTION = f"{STANDARD}/concurrent/"
PARALLEL = (EXECUTION, f"{STANDARD}/multiprocessing/", str(Path(__file__).parent))
EXECUTORS: "WeakKeyDictionary[Any, Owner]" = WeakKeyDictionary()
PLUMBING = frozenset({threading.__file__, __file__, f"{SITE}/sentry_sdk/integrations/threading.py"})


def guard_threads(gate: Gate, changes: Changes) -> None:
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


def owner_of(frame: FrameType | None, gate: Gate) -> Owner:
    """Return who answers for a thread or a process: for those of an executor, who made that."""
    while frame is not None and frame.f_code.co_filename.startswith(PARALLEL):
        executor = frame.f_locals.get("self") if frame.f_code.co_filename.startswith(EXECUTION) else None
        if executor is not None and (owner := EXECUTORS.get(executor)):
            return owner
        frame = frame.f_back
    return gate.owner


def guard(gate: Gate, changes: Changes) -> None:
    """Note who makes executors: they start their threads and processes when somebody else first needs them.

    It is called for each of the two modules when that is loaded; who is noted first stays.
    """
    for name, kind in (("thread", "ThreadPoolExecutor"), ("process", "ProcessPoolExecutor")):
        if module := sys.modules.get(f"concurrent.futures.{name}"):
            changes.replace(getattr(module, kind), "__init__", partial(noting_executor, gate))


def noting_executor(gate: Gate, original: Callable[..., None]) -> Callable[..., None]:
    """Note who makes an executor."""

    def construct(self: Any, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **options)
        EXECUTORS.setdefault(self, gate.owner)

    return construct


def starter(stack: RawStack) -> str:
    """Return the file whose code started a thread."""
    return next((code.co_filename for code, _ in stack if code.co_filename not in PLUMBING), "")
