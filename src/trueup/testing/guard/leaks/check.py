"""The check at the end of every test: what is left, when whatever was about to end has ended."""

from collections.abc import Callable, Iterable, Iterator
from threading import Event
from time import monotonic

from trueup.testing.guard.gate import Owner
from trueup.testing.guard.leaks import connections, pools, processes, threads
from trueup.testing.guard.leaks.activity import activity
from trueup.testing.guard.leaks.leak import Leak

PAUSES_S = (0.001, 0.002, 0.004, 0.008, 0.015, 0.02, 0.05, 0.05, 0.05)
"""Between the looks at what was left. Where nothing has happened in all of them, nothing ends by itself."""
PATIENCE_S = 5.0
"""How long a thread or a process may be at work after its test."""


def find(owner: Owner) -> list[Leak]:
    """Return what an owner left, with what was found before its end."""
    return [*owner.leaks, *lasting(owner, look)]


def lasting(owner: Owner, look: Callable[[Owner], Iterable[Leak]]) -> list[Leak]:
    """Return what stays of what an owner left; it is looked at again for a moment, longer while it is at work."""
    deadline = monotonic() + PATIENCE_S
    pauses, before = iter(PAUSES_S), None
    while (leaks := list(look(owner))) and (pause_s := next(pauses, None)) is not None:
        Event().wait(pause_s)
        if (now := activity(owner)) != before and monotonic() < deadline:
            pauses, before = iter(PAUSES_S), now
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
