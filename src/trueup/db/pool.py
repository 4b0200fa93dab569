"""A pool of at most so many connections, counted by the server's slots and not by our sockets.

Each connection has one user at a time; who waits first is served first.
"""

from collections.abc import Callable
from threading import Event, get_ident
from time import monotonic

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGcancelConn

from trueup.db.events import Kind
from trueup.db.hold import Hold, capture, readable
from trueup.db.parting import cancel, order_cancel
from trueup.db.pooled import PooledConnection
from trueup.db.slots import Waiter, logger
from trueup.db.supply import SEE_OFF_S, Supply
from trueup.errors import ConnectionFailed, DatabaseError, PoolTimeout, UsageError, WouldDeadlock

PING_S = 1.0
"""How long an idle connection may take to show that it lives."""


class Pool(Supply):
    """Gives out connections, one user each, never more than `max_connections` backends at a time."""

    def take(self, deadline: float | None = None, *, first: bool = False, hold: Hold | None = None) -> PooledConnection:
        """Return a connection that works, in autocommit, for the caller alone.

        `first` puts the caller before all others who wait. Who may be interrupted at any moment makes the `hold`, and
        abandons it at the end: then nothing is lost in the instant before the connection is known.

        Raises:
            PoolTimeout: all stayed in use until the deadline.
            ConnectionFailed, TooManyConnections: no new one could be opened until the deadline.
            WouldDeadlock: all are held by threads that wait for one, the caller's among them.
        """
        now = monotonic()
        if deadline is None:
            deadline = now + self.settings.checkout_timeout_s
        if hold is None:
            hold = Hold(capture())
        if self.abandoned:
            self.reclaim()
        while True:
            connection = self.take_any(deadline, hold, first=first)
            if connection.idle_since + self.settings.check_after_s > now and connection.is_silent:
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

    def take_any(self, deadline: float, hold: Hold, *, first: bool) -> PooledConnection:
        """Return the connection that was used last, or the first that comes free or can be opened."""
        with self.lock:
            if self.idle:
                connection = self.idle.pop()
                hold.begin()
                self.held[connection] = hold
                self.sums["checkouts"] += 1
                return connection
            if self.is_closed:
                raise closed()
            waiter = Waiter(hold)
            self.refuse_deadlock(waiter)
            if first:
                self.waiters.appendleft(waiter)
            else:
                self.waiters.append(waiter)
            try:
                self.open_more()
            except RuntimeError:  # No thread could be started: nobody must hand a connection to who has left.
                self.waiters.remove(waiter)
                raise
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
                hold.is_open = False
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

    def refuse_deadlock(self, waiter: Waiter) -> None:
        """Raise if everybody who holds a connection waits for another one; the lock is held."""
        if self.opening or self.leaving or len(self.held) < self.max_size:
            return
        waiting = {other.hold.thread for other in self.waiters} | {waiter.hold.thread}
        if all(hold.thread in waiting for hold in self.held.values()):
            raise WouldDeadlock(
                f"all {self.max_size} connections are held by threads that wait for another one, this one among them:"
                " join the transaction with db.transaction(), or give the first connection back before."
                f" Asked for at\n{readable(waiter.hold.stack)}\n{self.holders()}"
            )

    def holders(self) -> str:
        """Return who holds what, with stacks; the lock is held."""
        return "\n".join(str(hold) for hold in self.held.values())

    def explain(self, waiter: Waiter, waited_s: float) -> DatabaseError | UsageError:
        """Return why nobody handed a connection to the waiter."""
        if waiter.failure is not None:
            return waiter.failure
        with self.lock:
            self.sums["timeouts"] += 1
            failure = self.failure if self.opening else None
            if failure is not None:
                return type(failure)(f"no connection within {waited_s:.1f} s: {failure}", sqlstate=failure.sqlstate)
            if self.opening and not self.held:
                return ConnectionFailed(
                    f"no connection within {waited_s:.1f} s: {self.settings.conninfo} does not answer the login;"
                    " check the host, the port, and the network between"
                )
            return PoolTimeout(
                f"no connection came free within {waited_s:.1f} s: {len(self.held)} of {self.max_size} are in use,"
                f" {self.opening} being opened, {self.leaving} being closed, {len(self.waiters)} other callers wait;"
                f" hold them for shorter, or raise POSTGRES_MAX_CONNECTIONS within the budget\n{self.holders()}"
            )

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
        """Close a connection that was taken and found to be dead."""
        with self.lock:
            hold = self.held.pop(connection, None)
            self.leaving += hold is not None
            self.sums["checkouts"] -= hold is not None
        if hold is not None:
            hold.is_open = False
            self.part(connection, Kind.DISCARD, reason)

    def abandon(self, hold: Hold) -> None:
        """Let the connection of a block that ended unseen be taken back later: a finalizer may not wait for a lock."""
        if hold.is_open:
            self.abandoned.append(hold)

    def reclaim(self) -> None:
        """Discard the connections of abandoned holds, and with them what their blocks had not committed."""
        while self.abandoned:
            hold = self.abandoned.popleft()
            with self.lock:
                found = [connection for connection, theirs in self.held.items() if theirs is hold]
            for connection in found:
                self.discard(connection, "its block was interrupted")

    def close(self, drain_s: float) -> tuple[str, ...]:
        """Refuse new callers, wait for the others, cut who stays; return the stacks of those that were cut.

        What this thread holds itself is not waited for.
        """
        with self.lock:
            self.is_closed = True
            self.refuse_waiters(closed())
            idle, self.idle = self.idle, []
            self.leaving += len(idle)
        self.stop.set()
        for connection in idle:
            self.part(connection, Kind.CLOSE, "the pool is closed")
        self.wait_until(monotonic() + drain_s, self.is_drained)
        with self.lock:
            cut = dict(self.held)
        self.end_statements(list(cut))
        for connection, hold in cut.items():
            if hold.thread == get_ident():
                self.discard(connection, "its holder closed the pool")
        self.wait_until(monotonic() + SEE_OFF_S, lambda: not self.leaving)
        stacks = tuple(str(hold) for hold in cut.values())
        if stacks:
            logger.warning("%d connections were cut when the pool was closed:\n%s", len(stacks), "\n".join(stacks))
        return stacks

    def end_statements(self, connections: list[PooledConnection]) -> None:
        """Cut connections under their users, and cancel what the server does for them."""
        orders = [order for connection in connections if (order := order_cancel(connection)) is not None]
        if self.settings.pooler:  # It cancels for the clients that it knows: they have to stay until it has.
            for connection in connections:
                connection.is_closing = True
            deliver(orders)
        for connection in connections:
            connection.cut()
        if not self.settings.pooler:
            deliver(orders)

    def is_drained(self) -> bool:
        """Return whether no other thread holds a connection."""
        with self.lock:
            return all(hold.thread == get_ident() for hold in self.held.values())

    @staticmethod
    def wait_until(deadline: float, condition: Callable[[], object]) -> None:
        """Wait for a condition, looking every few milliseconds."""
        pause = Event()
        while not condition() and monotonic() < deadline:
            pause.wait(0.005)

    def tidy(self) -> None:
        """End connections that were idle or lived for too long, and report connections that are held for too long."""
        self.reclaim()
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
            spare = self.idle.pop() if self.lost and self.idle and not self.settings.pooler else None
            if spare is not None:
                self.held[spare] = Hold(())
        if spare is not None:
            self.end_lost_backends(spare)
            self.give_back(spare)
        for connection in tired:
            self.part(connection, Kind.CLOSE, "it was idle for too long")
        for connection in old:
            self.part(connection, Kind.REPLACE, "its lifetime is over")
        for hold in long:
            self.sums["long_holds"] += 1
            self.tell(Kind.LONG_HOLD, seconds=now - hold.taken_at, detail=readable(hold.stack))


def deliver(orders: list[PGcancelConn]) -> None:
    """Deliver cancellations."""
    for order in orders:
        cancel(order)


def closed() -> UsageError:
    """Return the error for who comes after the end."""
    return UsageError("the database was closed: open a new Database")
