"""A database as a service uses it: connections from a pool, transactions, and the end of both."""

import random
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar, Unpack

import psycopg

from trueup import observe
from trueup.db.block import Block, Choices, Isolation, Options, State, current
from trueup.db.connection import Connection
from trueup.db.events import Listener
from trueup.db.hold import Hold, capture
from trueup.db.pool import Pool
from trueup.db.savepoint import Savepoint
from trueup.db.transaction import Transaction
from trueup.errors import DatabaseError, UsageError
from trueup.settings import DatabaseSettings

if TYPE_CHECKING:
    from trueup.db.statistics import Statistics

T = TypeVar("T")


class Database:
    """Is the way of one service to its database; it opens nothing until it is used, and its exit closes the pool.

    Safe for threads. After a fork the child begins with no connection.
    """

    def __init__(self, settings: DatabaseSettings, *, listener: Listener | None = None) -> None:
        self.settings = settings
        self.pool = Pool(settings, observe.listening(listener))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        pool = getattr(self, "pool", None)
        if pool is not None and not pool.is_closed and (pool.idle or pool.held):
            warnings.warn(f"{self!r} was never closed: use `with`", ResourceWarning, source=self, stacklevel=1)
            pool.close(0.0)

    def __repr__(self) -> str:
        pool = self.pool
        state = "closed" if pool.is_closed else f"{len(pool.held)} of {pool.max_size} in use, {len(pool.idle)} idle"
        return f"Database({str(self.settings.conninfo)!r}, {state})"

    def connection(self) -> "Checkout":
        """Give the connection of this thread's transaction, or one in autocommit from the pool, for a block.

        Raises:
            PoolTimeout, ConnectionFailed, TooManyConnections, WouldDeadlock: none could be had.
            DatabaseError: what a statement in the block failed with, named by its SQLSTATE.
        """
        return Checkout(self)

    def transaction(
        self,
        *,
        isolation: Isolation | None = None,
        read_only: bool = False,
        deferrable: bool = False,
        lock_timeout_s: float | None = None,
        statement_timeout_s: float | None = None,
        durable: bool = False,
    ) -> Block:
        """Do what is in the block as a whole or not at all; inside another transaction it is a savepoint.

        `durable` refuses to be nested, and waits for the server's disk whatever synchronous_commit says. REPEATABLE
        READ and SERIALIZABLE see the database as it was when the block began.

        Raises:
            PoolTimeout, ConnectionFailed, TooManyConnections, WouldDeadlock: no connection could be had.
            TransactionAborted: a statement failed in the block and its error was swallowed; it is the cause.
            Conflict, ForeignKeyMissing, …: COMMIT failed, with the constraint's name where one was deferred.
            Disconnected: the connection was lost and everything rolled back.
            CommitUnknown: the connection was lost during COMMIT, and its outcome couldn't be found out.
        """
        options = Options(
            isolation=isolation,
            read_only=read_only,
            deferrable=deferrable,
            lock_timeout_s=lock_timeout_s,
            statement_timeout_s=statement_timeout_s,
            durable=durable,
        )
        outer = current(self.pool)
        return Savepoint(outer, options) if outer is not None else Transaction(self.pool, options)

    def run(self, work: Callable[[Block], T], *, attempts: int = 3, **options: Unpack[Choices]) -> T:
        """Run `work` in a transaction with these options, again from the start when it lost a race or its connection.

        `work` may run up to `attempts` times, so it must have no effect outside the database; on_commit is for those.
        The waits between grow from 10 ms, with jitter. Inside a transaction it runs once, in a savepoint: it is the
        outermost transaction that has to run again.

        Raises:
            Conflict, Disconnected: it lost every time.

        Source: PostgreSQL manual, "Serialization Failure Handling".
        """
        last = 1 if current(self.pool) is not None else attempts
        for attempt in range(1, last + 1):
            transaction = self.transaction(**options)
            try:
                with observe.retrying(is_last=attempt == last), transaction:
                    result = work(transaction)
            except DatabaseError as error:
                if attempt == last or not error.retryable or transaction.state is State.COMMITTED:
                    observe.report_failure(error, component="db", operation="run")
                    raise
            else:
                return result
            self.pool.stop.wait(random.uniform(0.5, 1) * min(1.0, 0.01 * 2 ** (attempt - 1)))  # noqa: S311
        raise UsageError(f"attempts must be 1 or more, not {attempts}")

    def statistics(self) -> "Statistics":
        """Return the pool's state and its sums."""
        return self.pool.statistics()

    def close(self, *, drain_s: float = 10.0) -> tuple[str, ...]:
        """Refuse new work, wait up to `drain_s` for the work in hand, cut the rest; return who was cut, and where."""
        return self.pool.close(drain_s)


class Checkout:
    """Is a connection for as long as its block lasts."""

    __slots__ = ("connection", "database", "hold", "is_joined")

    def __init__(self, database: Database) -> None:
        self.database = database
        self.hold: Hold | None = None

    def __del__(self) -> None:
        if self.hold is not None:
            self.database.pool.abandon(self.hold)

    def __enter__(self) -> Connection:
        pool = self.database.pool
        transaction = current(pool)
        self.is_joined = transaction is not None
        if transaction is not None:
            self.connection = transaction.connection
            return self.connection
        self.hold = Hold(capture())
        try:
            self.connection = pool.take(hold=self.hold)
        except DatabaseError as error:
            observe.report_failure(error, component="db", operation="connect")
            raise
        return self.connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        named = self.connection.name(error) if isinstance(error, psycopg.Error) else error
        if not self.is_joined:
            left_open = error is None and self.connection.is_in_transaction
            self.database.pool.give_back(self.connection)
            if left_open:
                raise UsageError(
                    "the block left a transaction open on its connection, so nothing of it is stored: use"
                    " db.transaction()"
                )
        if isinstance(named, DatabaseError):
            observe.report_failure(named, component="db", operation="statement")
        if named is not None and named is not error:
            raise named from error
