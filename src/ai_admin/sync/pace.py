"""How fast YClients may be asked: 5 requests a second and 200 a minute from one address."""

from collections import deque
from dataclasses import dataclass
from threading import Event, Lock
from time import monotonic


@dataclass(frozen=True, slots=True)
class Limit:
    """Is so many requests in so many seconds."""

    requests: int
    seconds: float


LIMITS = (Limit(5, 1.0), Limit(200, 60.0))


class Pace:
    """Lets requests begin no faster than the limits, in every thread that shares it: one pace an address."""

    def __init__(self, limits: tuple[Limit, ...] = LIMITS) -> None:
        self.limits = limits
        self.lock = Lock()
        self.begun: deque[float] = deque(maxlen=max(limit.requests for limit in limits))
        self.stop = Event()

    def wait(self) -> None:
        """Return when the next request may begin, and count it."""
        with self.lock:
            delay_s = delay(self.begun, monotonic(), self.limits)
            self.begun.append(monotonic() + delay_s)
        if delay_s > 0:
            self.stop.wait(delay_s)


def delay(begun: "deque[float]", now: float, limits: tuple[Limit, ...]) -> float:
    """Return in how many seconds a request may begin, given when those before it began, the latest last."""
    earliest = now
    for limit in limits:
        if len(begun) >= limit.requests:
            earliest = max(earliest, begun[-limit.requests] + limit.seconds)
    return earliest - now
