"""What happens to pools without anybody asking: a thread that tidies up, and a fork that must not share sockets."""

import os
import weakref
from functools import cache
from threading import Event, Thread

from trueup.db.slots import Slots

LIVING: "weakref.WeakSet[Slots]" = weakref.WeakSet()
"""Every pool of this process."""


def keep_house(pool: Slots) -> Thread:
    """Start the thread that tidies a pool from time to time, for as long as somebody uses it."""
    settings = pool.settings
    limits = (settings.idle_timeout_s, settings.max_lifetime_s, settings.long_hold_s)
    period_s = max(0.02, min(5.0, min(limits) / 4))
    thread = Thread(target=tidy, args=(weakref.ref(pool), pool.stop, period_s), name="trueup pool", daemon=True)
    thread.start()
    return thread


def tidy(reference: "weakref.ref[Slots]", stop: Event, period_s: float) -> None:
    """Tidy a pool until it is closed or forgotten."""
    while not stop.wait(period_s):
        pool = reference()
        if pool is None:
            return
        pool.tidy()
        del pool


def guard_against_forks(pool: Slots) -> None:
    """Let a child process begin with a pool that is empty."""
    LIVING.add(pool)
    watch_forks()


@cache
def watch_forks() -> None:
    """Ask the interpreter to be told of forks, once."""
    os.register_at_fork(after_in_child=forget_connections)


def forget_connections() -> None:
    """Empty every pool of a child process."""
    for pool in list(LIVING):
        pool.forget()
