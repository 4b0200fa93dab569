"""The end of a comparison before its time: whatever runs for it is stopped, on this machine and on the servers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from time import monotonic

from trueup.db import Connection
from trueup.db.stopping import cancel, cut, settle
from trueup.parity.data.sides.lockstep import Lockstep

AGAIN_S = 0.05
PATIENCE_S = 5.0
"""How long after it was asked to stop a connection may go on not to answer before it is cut."""

Stopper = Callable[[bool], None]
"""Stops something; again and again, until all is over; the flag says that patience is at its end."""


class Halt:
    """Stops what is under way when the time is up, or when it is told to, again and again until all of it has ended."""

    def __init__(self, seconds: float | None) -> None:
        self.reason = ""
        """Why it stopped; empty where it did not."""
        self._seconds = seconds
        self._stoppers: list[Stopper] = []
        self._begun, self._over, self._lock = Event(), Event(), Lock()

    def begin(self, reason: str) -> None:
        """Stop everything; the first reason is kept."""
        with self._lock:
            self.reason = self.reason or reason
        self._begun.set()

    def pause(self, seconds: float) -> None:
        """Wait, unless it stops meanwhile."""
        self._begun.wait(seconds)

    def rest(self, seconds: float) -> None:
        """Wait, unless all is over meanwhile."""
        self._over.wait(seconds)

    def watch(self, both: Lockstep) -> None:
        """Stop what these connections run, too."""
        for snapshot in (both.source, both.target):
            self.call(connection_stopper(snapshot.connection))

    def call(self, stopper: Stopper) -> None:
        """Call this, too."""
        self._stoppers.append(stopper)

    def run(self) -> None:
        """Wait until it is over; stop everything meanwhile if it has to be."""
        if not self._begun.wait(self._seconds):
            self.begin(f"the {self._seconds:g} s that it had were up")
        cut_at = monotonic() + PATIENCE_S
        while not self._over.is_set():
            for stopper in list(self._stoppers):
                stopper(monotonic() > cut_at)
            self._over.wait(AGAIN_S)

    def end(self) -> None:
        """Say that nothing is under way any more."""
        self._over.set()
        self._begun.set()


def connection_stopper(connection: Connection) -> Stopper:
    """Return what cancels the statement of a connection, and at last cuts it."""
    return lambda is_late: cut(connection) if is_late else cancel(connection)


@contextmanager
def halting(seconds: float | None, both: Lockstep) -> Iterator[Halt]:
    """Give the block so many seconds; what it stops is what runs on `both`, and whatever it adds."""
    halt = Halt(seconds)
    halt.watch(both)
    watcher = Thread(target=halt.run, name="trueup halt", daemon=True)
    watcher.start()
    try:
        yield halt
    finally:
        halt.end()
        watcher.join()
        if halt.reason:
            for snapshot in (both.source, both.target):
                settle(snapshot.connection)
