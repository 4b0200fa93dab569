"""A pool of at most so many connections, counted by the server's slots and not by our sockets.

A slot is idle, in use, opening or leaving; `leaving` ends when the backend is known to be gone, and only then may
another connection be opened in its place. Connections are opened by threads of their own, so a caller's deadline never
depends on a login that hangs; who waits first is served first.
"""

import logging
import random
import weakref
from collections import deque
from threading import Event, Lock, Thread, get_ident
from time import monotonic
from typing import Any

import psycopg
from psycopg.pq import ConnStatus, TransactionStatus

from trueup.db.events import Kind, Listener, PoolEvent, Statistics
from trueup.db.hold import Hold, RawStack, capture, readable
from trueup.db.opening import cancel, has_ended, is_final, leave, open_connection, order_cancel
from trueup.db.pooled import PooledConnection
from trueup.errors import ConnectionFailed, DatabaseError, PoolTimeout, UsageError, WouldDeadlock
from trueup.settings import DatabaseSettings

logger = logging.getLogger("trueup.db")

RETRY_FIRST_S = 0.02
RETRY_LAST_S = 0.5
"""The longest pause between two attempts to log in: what a caller may lose after an outage."""
SEE_OFF_S = 2.0
"""How long a backend is waited for to exit after its connection was closed."""
GIVE_UP_S = 0.3
"""The same for a backend that did not answer any more."""
PING_S = 1.0

LIVING: "weakref.WeakSet[Pool]" = weakref.WeakSet()
"""Every pool of this process, for a child that must not use their sockets."""


class Waiter:
    """Is a caller who waits for a connection."""

    __slots__ = ("connection", "failure", "gate", "stack", "thread")

    def __init__(self, stack: RawStack) -> None:
        self.stack = stack
        self.thread = get_ident()
        self.connection: PooledConnection | None = None
        self.failure: DatabaseError | UsageError | None = None
        self.gate = Lock()
        self.gate.acquire()


class Pool:
    """Gives out connections, one user each, never more than `max_connections` backends at a time."""

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
        LIVING.add(self)

    def begin(self) -> None:
        """Start with no connection at all."""
        self.lock = Lock()
        self.idle: list[PooledConnection] = []
        self.held: dict[PooledConnection, Hold] = {}
        self.waiters: deque[Waiter] = deque()
        self.opening = 0
        self.leaving = 0
        self.failure: ConnectionFailed | None = None
        """Why the last login failed; None after one that worked."""
        self.lost: list[tuple[int, float]] = []
        """Backends that may still run though we left them, and when we did."""
        self.stop = Event()
        self.housekeeper: Thread | None = None

    # Taking and giving back.

    def take(self, deadline: float | None = None, *, first: bool = False) -> PooledConnection:
        """Return a connection that works, in autocommit, for the caller alone.

        `first` puts the caller before all others who wait.

        Raises:
            PoolTimeout: all stayed in use until the deadline.
            ConnectionFailed, TooManyConnections: no new one could be opened until the deadline.
            WouldDeadlock: all are held by threads that wait for one, the caller's among them.
        """
        if deadline is None:
            deadline = monotonic() + self.settings.checkout_timeout_s
        while True:
            connection = self.take_any(deadline, first=first)
            if monotonic() - connection.idle_since < self.settings.check_after_s and connection.is_silent:
                break
            if self.is_alive(connection, deadline):
                break
            self.discard(connection, "it was closed while it was idle")
            self.sweep(everything=connection.is_abandoned)
        if self.listener is not None:
            self.tell(Kind.CHECKOUT)
            if len(self.held) > self.settings.usage_warning * self.max_size:
                self.tell(Kind.USAGE)
        return connection

    def take_any(self, deadline: float, *, first: bool) -> PooledConnection:
        """Return the connection that was used last, or the first that comes free or can be opened."""
        stack = capture(3)
        with self.lock:
            if self.is_closed:
                raise closed()
            self.sums["checkouts"] += 1
            if self.idle:
                connection = self.idle.pop()
                self.held[connection] = Hold(stack)
                return connection
            waiter = Waiter(stack)
            self.refuse_deadlock(waiter)
            if first:
                self.waiters.appendleft(waiter)
            else:
                self.waiters.append(waiter)
            self.open_more()
        return self.wait_for(waiter, deadline)

    def wait_for(self, waiter: Waiter, deadline: float) -> PooledConnection:
        """Return the connection that another thread hands to the waiter."""
        started = monotonic()
        is_interrupted = True
        try:
            waiter.gate.acquire(timeout=max(0.0, deadline - started))
            is_interrupted = False
        finally:
            with self.lock:
                waited = monotonic() - started
                self.sums["waits"] += 1
                self.waiting_s += waited
                if waiter in self.waiters:
                    self.waiters.remove(waiter)
            if is_interrupted and waiter.connection is not None:
                self.give_back(waiter.connection)
        if waiter.connection is not None:
            self.tell(Kind.WAIT, seconds=waited)
            return waiter.connection
        self.sums["timeouts"] += 1
        self.tell(Kind.TIMEOUT, seconds=waited)
        raise self.explain(waiter, waited)

    def give_back(self, connection: PooledConnection) -> None:
        """Take a connection back; it is closed if the next user would not find it as this one did."""
        is_reusable = connection.is_reusable
        with self.lock:
            hold = self.held.pop(connection, None)
            now = monotonic()
            is_kept = is_reusable and hold is not None and not self.is_closed and now < connection.expires_at
            if hold is not None:
                self.held_s += now - hold.taken_at
                self.exchange_s += connection.exchange_s
            if is_kept:
                connection.refresh()
                self.hand_over(connection)
            elif hold is not None:
                self.leaving += 1
        if hold is None:
            connection.close()
            return
        if not is_kept:
            kind, reason = self.reason_to_part(connection)
            self.part(connection, kind, reason)
        if self.listener is not None:
            self.tell(Kind.RETURN, seconds=now - hold.taken_at)
        if hold.is_reported:
            self.tell(Kind.LONG_HOLD_ENDED, seconds=now - hold.taken_at, detail=readable(hold.stack))

    def reason_to_part(self, connection: PooledConnection) -> tuple[Kind, str]:
        """Return why a connection that comes back is not kept."""
        if self.is_closed:
            return Kind.CLOSE, "the pool is closed"
        if connection.is_reusable:
            return Kind.REPLACE, "its lifetime is over"
        if connection.is_altered:
            return Kind.REPLACE, "it changed its session"
        return Kind.DISCARD, f"it came back {TransactionStatus(connection.pgconn.transaction_status).name}"

    def hand_over(self, connection: PooledConnection) -> None:
        """Give a connection to who waits the longest, or keep it; the lock is held."""
        if self.waiters:
            waiter = self.waiters.popleft()
            self.held[connection] = Hold(waiter.stack, waiter.thread)
            waiter.connection = connection
            waiter.gate.release()
        else:
            connection.idle_since = monotonic()
            self.idle.append(connection)

    # Deadlock and timeout.

    def refuse_deadlock(self, waiter: Waiter) -> None:
        """Raise if everybody who holds a connection waits for another one; the lock is held."""
        if self.opening or self.leaving or len(self.held) < self.max_size:
            return
        waiting = {other.thread for other in self.waiters} | {waiter.thread}
        if all(hold.thread in waiting for hold in self.held.values()):
            raise WouldDeadlock(
                f"all {self.max_size} connections are held by threads that wait for another one, this one among them:"
                " join the transaction with db.transaction(), or give the first connection back before."
                f" Asked for at\n{readable(waiter.stack)}\n{self.holders()}"
            )

    def holders(self) -> str:
        """Return who holds what, with stacks; the lock is held."""
        return "\n".join(str(hold) for hold in self.held.values())

    def explain(self, waiter: Waiter, waited_s: float) -> DatabaseError | UsageError:
        """Return why nobody handed a connection to the waiter."""
        if waiter.failure is not None:
            return waiter.failure
        with self.lock:
            failure = self.failure if self.opening else None
            if failure is not None:
                return type(failure)(f"no connection within {waited_s:.1f} s: {failure}", sqlstate=failure.sqlstate)
            return PoolTimeout(
                f"no connection came free within {waited_s:.1f} s: {len(self.held)} of {self.max_size} are in use,"
                f" {self.opening} being opened, {self.leaving} being closed, {len(self.waiters)} other callers wait;"
                f" hold them for shorter, or raise POSTGRES_MAX_CONNECTIONS within the budget\n{self.holders()}"
            )

    # Opening.

    def open_more(self) -> None:
        """Start to open a connection for each waiter while slots are free, only one in an outage; the lock is held."""
        free = self.max_size - len(self.idle) - len(self.held) - self.opening - self.leaving
        wanted = min(free, len(self.waiters) - self.opening)
        if self.failure is not None:
            wanted = min(wanted, 1 - self.opening)
        for _ in range(wanted):
            self.opening += 1
            try:
                Thread(target=self.open_one, name="trueup connect", daemon=True).start()
            except BaseException:
                self.opening -= 1
                raise

    def open_one(self) -> None:
        """Open a connection, trying again as long as somebody waits for it."""
        connection = self.open_in_time()
        if connection is None:
            return
        with self.lock:
            self.opening -= 1
            self.failure = None
            self.sums["connects"] += 1
            is_late = self.is_closed
            if is_late:
                self.leaving += 1
            else:
                self.hand_over(connection)
                self.open_more()
                self.keep_house()
        if is_late:
            self.part(connection, Kind.CLOSE, "the pool is closed")
        else:
            self.tell(Kind.CONNECT)

    def open_in_time(self) -> PooledConnection | None:
        """Return a new connection; None when nobody waits for it any more."""
        pause_s = RETRY_FIRST_S
        while True:
            try:
                return self.open_ready()
            except ConnectionFailed as error:
                self.tell(Kind.CONNECT_FAILED, detail=type(error).__name__)
                if not self.is_wanted_after(error):
                    return None
            self.stop.wait(pause_s)
            pause_s = min(2 * pause_s, RETRY_LAST_S)

    def open_ready(self) -> PooledConnection:
        """Return a new connection; backends that were lost before are ended by it."""
        connection = open_connection(self.settings)
        connection.expires_at = monotonic() + self.settings.max_lifetime_s * random.uniform(0.9, 1)  # noqa: S311
        with self.lock:
            lost, self.lost = self.lost, []
        if lost and not self.settings.pooler:
            end_backends(connection, lost)
        return connection

    def is_wanted_after(self, error: ConnectionFailed) -> bool:
        """Note a failed login, and return whether to try again; if trying can't help, everybody who waits is told."""
        with self.lock:
            self.failure = error
            self.sums["connects_failed"] += 1
            if is_final(error):
                self.refuse_waiters(error)
            if self.waiters and not self.is_closed:
                return True
            self.opening -= 1
            return False

    def refuse_waiters(self, error: DatabaseError | UsageError) -> None:
        """End every wait with an error; the lock is held."""
        while self.waiters:
            waiter = self.waiters.popleft()
            waiter.failure = type(error)(*error.args)
            waiter.gate.release()

    # Checking, parting, closing.

    def is_alive(self, connection: PooledConnection, deadline: float) -> bool:
        """Return whether the server answers on a connection, within a second."""
        connection.timeout_s = max(0.01, min(PING_S, deadline - monotonic()))
        try:
            connection.execute("", prepare=False)
        except (psycopg.Error, DatabaseError):
            return False
        except BaseException:
            self.discard(connection, "its check was interrupted")
            raise
        connection.refresh()
        return True

    def sweep(self, *, everything: bool) -> None:
        """Discard the idle connections that have news, which can only be the end; or all of them."""
        with self.lock:
            dead = [connection for connection in self.idle if everything or not connection.is_silent]
            self.idle = [connection for connection in self.idle if connection not in dead]
            self.leaving += len(dead)
        for connection in dead:
            self.part(connection, Kind.DISCARD, "it was closed while it was idle")

    def discard(self, connection: PooledConnection, reason: str) -> None:
        """Close a connection that is held and not to be used again."""
        with self.lock:
            hold = self.held.pop(connection, None)
            self.leaving += hold is not None
        if hold is not None:
            self.part(connection, Kind.DISCARD, reason)

    def part(self, connection: PooledConnection, kind: Kind, reason: str) -> None:
        """Close a connection that is counted as leaving, and free its slot when its backend is gone."""
        self.sums[PARTINGS[kind]] += 1
        self.tell(kind, detail=reason)
        is_doubtful = connection.is_abandoned or connection.pgconn.status != ConnStatus.OK
        if is_doubtful and (order := order_cancel(connection)) is not None:
            Thread(target=cancel, args=(order,), name="trueup cancel", daemon=True).start()
        witness = leave(connection)
        if witness is None:
            self.free_slot(connection.backend_pid if is_doubtful else None)
            return
        limit_s = GIVE_UP_S if is_doubtful else SEE_OFF_S

        def see_off() -> None:
            is_gone = has_ended(witness, limit_s)
            witness.close()
            self.free_slot(None if is_gone else connection.backend_pid)

        Thread(target=see_off, name="trueup disconnect", daemon=True).start()

    def free_slot(self, lost_pid: int | None) -> None:
        """Let the slot of a connection that left be used again; a backend that may still run is noted."""
        with self.lock:
            self.leaving -= 1
            if lost_pid is not None:
                self.lost.append((lost_pid, monotonic()))
            if not self.is_closed:
                self.open_more()

    def close(self, drain_s: float) -> tuple[str, ...]:
        """Refuse new callers, wait for the others, cut who stays; return the stacks of those that were cut."""
        with self.lock:
            self.is_closed = True
            self.refuse_waiters(closed())
            idle, self.idle = self.idle, []
            self.leaving += len(idle)
        self.stop.set()
        for connection in idle:
            self.part(connection, Kind.CLOSE, "the pool is closed")
        self.wait_until_empty(monotonic() + drain_s, lambda: not self.held)
        with self.lock:
            cut = dict(self.held)
        orders = [order for connection in cut if (order := order_cancel(connection)) is not None]
        for connection in cut:
            connection.cut()
        for order in orders:
            cancel(order)
        self.wait_until_empty(monotonic() + SEE_OFF_S, lambda: not self.leaving)
        return tuple(str(hold) for hold in cut.values())

    @staticmethod
    def wait_until_empty(deadline: float, is_empty: Any) -> None:
        """Wait for a condition, looking every few milliseconds."""
        pause = Event()
        while not is_empty() and monotonic() < deadline:
            pause.wait(0.005)

    # Housekeeping.

    def keep_house(self) -> None:
        """Start the thread that ends idle connections and reports long holds; the lock is held."""
        if self.housekeeper is None:
            limits = (self.settings.idle_timeout_s, self.settings.max_lifetime_s, self.settings.long_hold_s)
            period_s = max(0.02, min(5.0, min(limits) / 4))
            arguments = (weakref.ref(self), self.stop, period_s)
            self.housekeeper = Thread(target=keep_house, args=arguments, name="trueup pool", daemon=True)
            self.housekeeper.start()

    def tidy(self) -> None:
        """End connections that were idle or lived for too long, and report connections that are held for too long."""
        now = monotonic()
        with self.lock:
            tired = [c for c in self.idle if now - c.idle_since >= self.settings.idle_timeout_s]
            old = [c for c in self.idle if now >= c.expires_at and c not in tired]
            self.idle = [c for c in self.idle if c not in tired and c not in old]
            self.leaving += len(tired) + len(old)
            long = [
                h for h in self.held.values() if not h.is_reported and now - h.taken_at >= self.settings.long_hold_s
            ]
            for hold in long:
                hold.is_reported = True
        for connection in tired:
            self.part(connection, Kind.CLOSE, "it was idle for too long")
        for connection in old:
            self.part(connection, Kind.REPLACE, "its lifetime is over")
        for hold in long:
            self.sums["long_holds"] += 1
            self.tell(Kind.LONG_HOLD, seconds=now - hold.taken_at, detail=readable(hold.stack))

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

    def statistics(self) -> Statistics:
        """Return the pool's state and sums."""
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
PARTINGS = {Kind.REPLACE: "replaced", Kind.DISCARD: "discarded", Kind.CLOSE: "closed"}


def closed() -> UsageError:
    """Return the error for who comes after the end."""
    return UsageError("the database was closed: open a new Database")


def keep_house(reference: "weakref.ref[Pool]", stop: Event, period_s: float) -> None:
    """Tidy a pool from time to time, as long as somebody uses it."""
    while not stop.wait(period_s):
        pool = reference()
        if pool is None:
            return
        pool.tidy()
        del pool


def end_backends(connection: PooledConnection, lost: list[tuple[int, float]]) -> None:
    """Ask the server to end backends that were left without a goodbye: they hold slots and locks for nobody.

    Only a backend of the same role and application name that began before it was lost is meant: a process id is used
    again.
    """
    now = monotonic()
    connection.timeout_s = PING_S
    try:
        connection.execute(
            "select pg_terminate_backend(a.pid) from pg_stat_activity a"
            " join unnest(%s::int[], %s::float8[]) as lost (pid, age_s) on lost.pid = a.pid"
            " where a.pid <> pg_backend_pid() and a.usename = current_user"
            " and a.application_name = current_setting('application_name')"
            " and a.backend_start < clock_timestamp() - make_interval(secs => lost.age_s)",
            ([pid for pid, _ in lost], [now - at for _, at in lost]),
        )
    except (psycopg.Error, DatabaseError):
        return
    connection.refresh()
