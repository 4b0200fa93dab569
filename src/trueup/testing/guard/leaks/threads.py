"""Threads that were started and still run."""

import sys
from collections.abc import Iterator

from trueup.testing.guard.gate import Owner
from trueup.testing.guard.leaks.leak import Leak


def left_running(owner: Owner) -> Iterator[Leak]:
    """Yield the threads that are alive; nothing can end them."""
    for opening in owner.opened:
        thread = opening.thing() if opening.kind == "thread" else None
        if thread is None or not thread.is_alive():
            continue
        frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001
        now = f", now at {frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}" if frame else ""
        kind = "daemon thread" if thread.daemon else "thread"
        yield Leak(kind="thread", what=f"the {kind} {thread.name!r} still runs{now}", stack=opening.stack)
