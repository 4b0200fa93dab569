"""How a pool comes by connections and parts with them, never holding more backends than it may.

A slot is idle, held, opening or leaving; `leaving` ends when the backend is known to be gone, and only then may another
connection be opened in its place. Connections are opened by threads of their own, so a caller's deadline never depends
on a login that hangs.
"""

import random
from copy import copy
from threading import Thread
from time import monotonic

from psycopg.pq import ConnStatus

from trueup.db.events import Kind, Listener
from trueup.db.housekeeping import guard_against_forks, keep_house
from trueup.db.opening import limit_transactions, open_connection
from trueup.db.parting import LEFT_ALONE_S, cancel, end_backends, has_ended, leave, order_cancel
from trueup.db.pooled import PooledConnection
from trueup.db.slots import Slots
from trueup.errors import ConnectionFailed, DatabaseError, UsageError
from trueup.settings import DatabaseSettings

RETRY_FIRST_S = 0.02
RETRY_LAST_S = 0.5
"""The longest pause between two attempts to log in: what a caller may lose after an outage."""
SEE_OFF_S = 2.0
"""How long a backend is waited for to exit after its connection was closed."""
GIVE_UP_S = 0.3
"""The same for a backend that did not answer any more."""

PARTINGS = {Kind.REPLACE: "replaced", Kind.DISCARD: "discarded", Kind.CLOSE: "closed"}


class Supply(Slots):
    """Opens connections for those who wait, and closes those that nobody is to use again."""

    def __init__(self, settings: DatabaseSettings, listener: Listener | None = None) -> None:
        super().__init__(settings, listener)
        guard_against_forks(self)

    def hand_over(self, connection: PooledConnection) -> None:
        """Give a connection to who waits the longest, or keep it; the lock is held."""
        connection.idle_since = monotonic()
        if self.waiters:
            waiter = self.waiters.popleft()
            waiter.hold.begin()
            self.held[connection] = waiter.hold
            waiter.connection = connection
            self.sums["checkouts"] += 1
            waiter.gate.release()
        else:
            self.idle.append(connection)

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
                if self.housekeeper is None:
                    self.housekeeper = keep_house(self)
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
            except Exception as error:  # noqa: BLE001
                # Whatever it was: the thread must not end without giving its slot back.
                failure = error if isinstance(error, ConnectionFailed) else ConnectionFailed(type(error).__name__)
            self.tell(Kind.CONNECT_FAILED, detail=type(failure).__name__)
            if not self.is_wanted_after(failure):
                return None
            self.stop.wait(pause_s)
            pause_s = min(2 * pause_s, RETRY_LAST_S)

    def open_ready(self) -> PooledConnection:
        """Return a new connection; backends that were lost before are ended by it."""
        connection = open_connection(self.settings)
        connection.expires_at = monotonic() + self.settings.max_lifetime_s * random.uniform(0.9, 1)  # noqa: S311
        if not self.settings.pooler:
            limit_transactions(connection, self.settings.transaction_timeout_s)
            self.end_lost_backends(connection)
        return connection

    def end_lost_backends(self, connection: PooledConnection) -> None:
        """End the backends that were left without a goodbye and have had the time to end by themselves."""
        now = monotonic()
        with self.lock:
            due = [lost for lost in self.lost if now - lost[1] >= LEFT_ALONE_S]
            self.lost = [lost for lost in self.lost if lost not in due]
        if due:
            end_backends(connection, due)

    def is_wanted_after(self, error: ConnectionFailed) -> bool:
        """Note a failed login, and return whether to try again; if trying can't help, everybody who waits is told."""
        with self.lock:
            self.failure = error
            self.sums["connects_failed"] += 1
            if error.is_final:
                self.refuse_waiters(error)
            if self.waiters and not self.is_closed and self.opening == 1:
                return True  # One tries for all; when it succeeds, the others are opened at once.
            self.opening -= 1
            return False

    def refuse_waiters(self, error: DatabaseError | UsageError) -> None:
        """End every wait with an error; the lock is held."""
        while self.waiters:
            waiter = self.waiters.popleft()
            waiter.failure = copy(error)
            waiter.gate.release()

    def part(self, connection: PooledConnection, kind: Kind, reason: str) -> None:
        """Close a connection that is counted as leaving, and free its slot when its backend is gone."""
        with self.lock:
            self.sums[PARTINGS[kind]] += 1
        self.tell(kind, detail=reason)
        is_doubtful = connection.is_abandoned or connection.pgconn.status != ConnStatus.OK
        order = order_cancel(connection) if is_doubtful else None
        if order is None:
            self.see_off(connection, is_doubtful=is_doubtful)
        elif self.settings.pooler:

            def end() -> None:
                cancel(order)  # Before the client leaves: a pooler cancels for those it knows.
                self.see_off(connection, is_doubtful=True)

            Thread(target=end, name="trueup cancel", daemon=True).start()
        else:
            Thread(target=cancel, args=(order,), name="trueup cancel", daemon=True).start()
            self.see_off(connection, is_doubtful=True)

    def see_off(self, connection: PooledConnection, *, is_doubtful: bool) -> None:
        """Close a connection, and free its slot when its backend is gone."""
        witness = leave(connection)
        if witness is None:
            self.free_slot(connection.backend_pid if is_doubtful else None)
            return
        limit_s = GIVE_UP_S if is_doubtful else SEE_OFF_S

        def watch() -> None:
            is_gone = has_ended(witness, limit_s)
            witness.close()
            self.free_slot(None if is_gone else connection.backend_pid)

        try:
            Thread(target=watch, name="trueup disconnect", daemon=True).start()
        except RuntimeError:  # No thread can be started while the interpreter ends.
            watch()

    def free_slot(self, lost_pid: int | None) -> None:
        """Let the slot of a connection that left be used again; a backend that may still run is noted."""
        with self.lock:
            self.leaving -= 1
            if lost_pid is not None:
                self.lost.append((lost_pid, monotonic()))
            if not self.is_closed:
                self.open_more()
