"""The check at the end of every test: what is left, after a moment for what is just ending."""

from collections.abc import Callable, Iterable, Iterator
from threading import Event
from time import monotonic

from trueup.testing.guard.gate import Owner
from trueup.testing.guard.leaks import connections, pools, processes, threads
from trueup.testing.guard.leaks.leak import Leak

GRACE_S = 0.2
"""How long a thread, a process or a connection that is being closed may take to end by itself."""


def find(owner: Owner) -> list[Leak]:
    """Return what an owner left, with what was found before its end."""
    return [*owner.leaks, *lasting(lambda: look(owner))]


def lasting(look: Callable[[], Iterable[Leak]]) -> list[Leak]:
    """Return what stays; nothing costs nothing, and something is looked at again for a moment."""
    deadline = monotonic() + GRACE_S
    pause_s = 0.001
    while (leaks := list(look())) and monotonic() < deadline:
        Event().wait(pause_s)
        pause_s = min(2 * pause_s, 0.05)
    return leaks


def look(owner: Owner) -> Iterator[Leak]:
    """Yield what is left right now: pools first, since closing one ends what it owns."""
    if owner.opened:
        yield from pools.left_open(owner)
        yield from connections.left_open(owner)
        yield from threads.left_running(owner)
        yield from processes.left_running(owner)
    yield from pools.left_taken(owner)


def end(leaks: list[Leak]) -> None:
    """End what was left, so that the next test doesn't meet it."""
    for leak in leaks:
        if leak.end is not None:
            leak.end()


def report(owner: Owner, leaks: list[Leak]) -> str:
    """Return the failure of who left something."""
    return "\n".join([f"{owner} left behind:", *(f"- {leak}" for leak in leaks)])
