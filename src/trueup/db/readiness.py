"""Whether a socket has what libpq waits for."""

from select import POLLIN, POLLOUT, poll
from time import monotonic

from psycopg import pq

WAITING = frozenset({pq.PollingStatus.READING, pq.PollingStatus.WRITING})


def is_ready(descriptor: int, state: int, until: float) -> bool:
    """Return whether the socket has what an exchange in that state waits for, before the moment `until`."""
    poller = poll()
    poller.register(descriptor, POLLIN if state == pq.PollingStatus.READING else POLLOUT)
    return bool(poller.poll(max(0.0, until - monotonic()) * 1000))
