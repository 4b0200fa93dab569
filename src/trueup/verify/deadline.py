"""The end of what takes too long: the statements that connections run are cancelled until their block ends."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic

from trueup.db import Connection
from trueup.db.stopping import cancel, cut, settle

AGAIN_S = 0.05
PATIENCE_S = 5.0
"""How long after the deadline a connection may go on not to answer before it is cut."""


class Deadline:
    """Cancels what connections run once the time is up, again and again, and at last cuts them."""

    def __init__(self, seconds: float, connections: Sequence[Connection]) -> None:
        self.seconds = seconds
        self.connections = connections
        self.is_over = False
        self.ended = Event()

    def watch(self) -> None:
        """Wait for the end of the block, or see to it."""
        if self.ended.wait(self.seconds):
            return
        self.is_over = True
        cut_at = monotonic() + PATIENCE_S
        while not self.ended.is_set():
            for connection in self.connections:
                if monotonic() > cut_at:
                    cut(connection)
                else:
                    cancel(connection)
            self.ended.wait(AGAIN_S)


@contextmanager
def deadline(seconds: float, connections: Sequence[Connection]) -> Iterator[Deadline]:
    """Give the block so many seconds; `is_over` says afterwards whether they were up."""
    limit = Deadline(seconds, connections)
    watcher = Thread(target=limit.watch, name="trueup deadline", daemon=True)
    watcher.start()
    try:
        yield limit
    finally:
        limit.ended.set()
        watcher.join()
        if limit.is_over:
            for connection in connections:
                settle(connection)
