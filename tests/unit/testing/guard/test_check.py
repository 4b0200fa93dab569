"""How long the check at the end of a test looks at what was left."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Event, Thread
from weakref import ref

import pytest

from trueup.testing.guard.gate import Kind, Opening, Owner
from trueup.testing.guard.leaks import check, threads
from trueup.testing.guard.leaks.activity import activity
from trueup.testing.guard.leaks.leak import Leak


def opening(kind: Kind, thing: object, owner: Owner) -> Opening:
    return Opening(kind=kind, thing=thing, stack=(), owner=owner)


@contextmanager
def owner_of_thread(pause_s: float | None) -> Iterator[Owner]:
    """Give the owner of a thread that sleeps, or does something after each pause."""
    stop, begun, owner = Event(), Event(), Owner(node="test")

    def work() -> None:
        begun.set()
        while not stop.wait(pause_s):
            pass

    thread = Thread(target=work)
    thread.start()
    begun.wait()
    owner.opened.append(opening("thread", ref(thread), owner))
    yield owner
    stop.set()
    thread.join()


def test_thread_that_sleeps_is_told_although_patience_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "PATIENCE_S", 3600.0)
    monkeypatch.setattr(check, "PAUSES_S", (0.005, 0.01))

    with owner_of_thread(None) as owner:
        found = check.lasting(owner, threads.left_running)

    assert [leak.kind for leak in found] == ["thread"]


def test_thread_that_is_at_work_for_ever_is_told_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "PATIENCE_S", 0.02)
    monkeypatch.setattr(check, "PAUSES_S", (0.005, 0.01))

    with owner_of_thread(0.001) as owner:
        found = check.lasting(owner, threads.left_running)

    assert [leak.kind for leak in found] == ["thread"]


def test_what_is_at_work_is_looked_at_until_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "PATIENCE_S", 3600.0)
    looks, owner = count(), Owner(node="test")
    is_enough = Event()

    def work() -> None:
        while not is_enough.wait(0.001):
            pass

    def look(owner: Owner) -> Iterator[Leak]:
        if next(looks) > 3 * len(check.PAUSES_S):
            is_enough.set()
            thread.join()
        yield from threads.left_running(owner)

    thread = Thread(target=work)
    thread.start()
    owner.opened.append(opening("thread", ref(thread), owner))
    found = check.lasting(owner, look)
    is_enough.set()
    thread.join()

    assert found == []
    assert next(looks) > 3 * len(check.PAUSES_S)


def test_what_has_ended_has_no_activity() -> None:
    owner, thread = Owner(node="test"), Thread(target=int)
    thread.start()
    thread.join()
    gone = subprocess.Popen([sys.executable, "-IS", "-c", ""])
    gone.wait()
    owner.opened += [
        opening("thread", ref(thread), owner),
        opening("process", gone.pid, owner),
        opening("connection", None, owner),
    ]

    assert len(activity(owner)) == 1
    assert activity(owner) != activity(owner)  # Nothing is known about the process.
