"""The end of the process: what no test has ended must not keep it from ending."""

import atexit
import os
import sys
import threading
from contextlib import suppress

PATIENCE_S = 0.2


def depart_in_time(status: int) -> None:
    """Let the process end at once although threads were left that are no daemons.

    The interpreter would join them for ever. They were told as leaks, on their tests.
    """
    left = [each for each in threading.enumerate() if not each.daemon and each is not threading.main_thread()]
    if left:
        # The only hook before the interpreter waits for threads; `atexit` comes after that.
        threading._register_atexit(depart, left, status)  # type: ignore[attr-defined]  # noqa: SLF001


def depart(left: list[threading.Thread], status: int) -> None:
    """Wait a moment for threads, and end the process without them."""
    for thread in left:
        thread.join(PATIENCE_S / len(left))
    if any(thread.is_alive() for thread in left):
        atexit._run_exitfuncs()  # noqa: SLF001
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)
