"""The slots of a pool: which connections are idle, held, opening or leaving, who waits, and what was counted."""

import logging
from abc import ABC, abstractmethod
from collections import deque
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

from trueup.db.events import Kind, Listener, PoolEvent
from trueup.db.hold import Hold
from trueup.settings import DatabaseSettings

if TYPE_CHECKING:
    from trueup.db.pooled import PooledConnection
    from trueup.db.statistics import Statistics
    from trueup.errors import ConnectionFailed, DatabaseError, UsageError

logger = logging.getLogger("trueup.db")

SUMS = (
    "checkouts",
    "waits",
    "timeouts",
    "connects",
    "connects_failed",
    "replaced",
    "discarded",
    "closed",
    "long_holds",
)


class Waiter:
    """Is a caller who waits for a connection."""

    __slots__ = ("connection", "failure", "gate", "hold")

    def __init__(self, hold: Hold) -> None:
        self.hold = hold
        self.connection: PooledConnection | None = None
        self.failure: DatabaseError | UsageError | None = None
        self.gate = Lock()
        self.gate.acquire()


class Slots(ABC):
    """Is the state of a pool; every change of it is made with `lock` held."""

    def __init__(self, settings: DatabaseSettings, listener: Listener | None = None) -> None:
        self.settings = settings
        self.max_size = settings.max_connections
        self.listener = listener
        self.is_closed = False
        self.generation = 0
        """Counts the forks that led to this process."""
        self.sums = dict.fromkeys(SUMS, 0)
        self.waiting_s = self.exchange_s = self.held_s = 0.0
        self.openings: dict[Any, bytes] = {}
        """The texts that begin transactions."""
        self.begin()

    def begin(self) -> None:
        """Start with no connection at all."""
        self.lock = Lock()
        self.idle: list[PooledConnection] = []
        self.held: dict[PooledConnection, Hold] = {}
        self.abandoned: deque[Hold] = deque()
        """Holds whose block was interrupted before it could give its connection back."""
        self.waiters: deque[Waiter] = deque()
        self.opening = 0
        self.leaving = 0
        self.failure: ConnectionFailed | None = None
        """Why the last login failed; None after one that worked."""
        self.lost: list[tuple[int, float]] = []
        """Backends that may still run though we left them, and when we did."""
        self.stop = Event()
        self.housekeeper: Thread | None = None

    @abstractmethod
    def tidy(self) -> None:
        """Do what time has made due."""

    def tell(self, kind: Kind, *, seconds: float = 0.0, detail: str = "") -> None:
        """Tell the listener; what it raises is logged, for a connection's fate must not hang on it."""
        if self.listener is None:
            return
        try:
            self.listener(
                PoolEvent(kind=kind, in_use=len(self.held), max_size=self.max_size, seconds=seconds, detail=detail)
            )
        except Exception:
            logger.exception("a listener of the pool failed on %s", kind.value)

    def statistics(self) -> "Statistics":
        """Return the pool's state and sums."""
        from trueup.db.statistics import Statistics  # noqa: PLC0415  Few ask, and nobody has to wait for it.

        with self.lock:
            return Statistics(
                max_size=self.max_size,
                in_use=len(self.held),
                idle=len(self.idle),
                opening=self.opening,
                leaving=self.leaving,
                waiting=len(self.waiters),
                waiting_s=self.waiting_s,
                exchange_s=self.exchange_s,
                held_s=self.held_s,
                **self.sums,
            )

    def forget(self) -> None:
        """Let go of every connection without a word to the server: they belong to the parent of this process."""
        connections = [*self.idle, *self.held]
        self.generation += 1
        self.begin()
        for connection in connections:
            connection.orphan()
