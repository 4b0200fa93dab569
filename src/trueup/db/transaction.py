"""A transaction that ends as it says: committed, rolled back, or an error that tells which.

The state is our own: a driver that was told COMMIT believes it, whatever the server answered.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from threading import get_ident
from types import TracebackType
from typing import Any, Literal, Self

import psycopg
from psycopg.pq import TransactionStatus

from trueup.db.fate import Fate, find_fate
from trueup.db.opening import timeouts
from trueup.db.pool import Pool
from trueup.db.pooled import PooledConnection
from trueup.errors import CommitUnknown, DatabaseError, Disconnected, Outcome, TransactionAborted, UsageError
from trueup.settings import DatabaseSettings

Isolation = Literal["read committed", "repeatable read", "serializable"]
Hook = Callable[[], object]

SHAPES = 256
"""How many different ways to begin are remembered as text."""
ROLLBACK_S = 5.0
"""How long a rollback may take before the connection is given up, which rolls back as well."""


class State(Enum):
    """Is where a transaction stands."""

    NEW = "new"
    ACTIVE = "active"
    COMMITTED = "committed"
    """For a savepoint: part of what the outer transaction will commit."""
    ROLLED_BACK = "rolled_back"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Is how a transaction begins."""

    isolation: Isolation | None = None
    read_only: bool = False
    deferrable: bool = False
    lock_timeout_s: float | None = None
    statement_timeout_s: float | None = None
    durable: bool = False


CURRENT: ContextVar["Block | None"] = ContextVar("trueup_transaction", default=None)


def current(pool: Pool) -> "Block | None":
    """Return the innermost transaction of this thread on a pool.

    Raises:
        UsageError: the transaction was begun by another thread, whose context this one was given.
    """
    block = CURRENT.get()
    while block is not None:
        if block.pool is pool and block.state is State.ACTIVE and block.generation == pool.generation:
            if block.thread != get_ident():
                raise UsageError(
                    "this thread runs in the context of another thread's transaction, which it can't use: start it"
                    " outside of the block, or in an empty contextvars.Context()"
                )
            return block
        block = block.outer
    return None


class Block:
    """Is a block of statements that happens as a whole or not at all."""

    connection: PooledConnection

    def __init__(self, pool: Pool, options: Options) -> None:
        self.pool = pool
        self.options = options
        self.state = State.NEW
        self.generation = pool.generation
        self.thread = get_ident()
        self.outer: Block | None = None
        self.hooks: list[Hook] = []

    def __enter__(self) -> Self:
        if self.state is not State.NEW:
            raise UsageError("a transaction is entered once: call db.transaction() again")
        self.outer = CURRENT.get()
        self.begin()
        self.state = State.ACTIVE
        CURRENT.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.state = State.UNKNOWN
        if CURRENT.get() is self:
            CURRENT.set(self.outer)
        if error is None:
            self.end()
            return
        self.undo(error)
        if isinstance(error, psycopg.Error) and (named := self.connection.name(error)) is not error:
            raise named from error

    def begin(self) -> None:
        """Begin the block on the server."""
        raise NotImplementedError

    def end(self) -> None:
        """Make the block's work part of what is stored; whoever returns from here has succeeded."""
        raise NotImplementedError

    def undo(self, error: BaseException) -> None:
        """Take the block's work back because of `error`, which must not be replaced by what goes wrong here."""
        raise NotImplementedError

    def execute(self, query: Any, parameters: Any = None) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run one statement in the block.

        Raises:
            DatabaseError: named by its SQLSTATE.
        """
        try:
            return self.connection.execute(query, parameters)
        except psycopg.Error as error:
            if (named := self.connection.name(error)) is error:
                raise
            raise named from error

    def on_commit(self, hook: Hook) -> None:
        """Call `hook` after the outermost transaction has committed and its connection is back in the pool.

        It is forgotten if this block is rolled back.
        """
        self.hooks.append(hook)

    def swallowed(self) -> TransactionAborted:
        """Return the error for a block whose failed statement was to be committed, with that failure as its cause."""
        failure = self.connection.failure
        cause = self.connection.name(failure) if failure is not None else None
        if isinstance(cause, DatabaseError):
            cause.__cause__ = failure
        error = TransactionAborted(
            "a statement failed inside the transaction and its error was swallowed, so nothing of it is stored: let the"
            " error leave the block, or put the statement into a db.transaction() of its own",
            sqlstate=cause.sqlstate if cause is not None else None,
        )
        error.__cause__ = cause
        return error


class Transaction(Block):
    """Is a transaction on a connection of its own."""

    xid: str | None = None
    """The transaction's number for pg_xact_status(); None for one that only reads."""
    server_started: Any = None

    def begin(self) -> None:
        """Begin, with timeouts and number, in one round trip; again on another connection if this one is dead."""
        try:
            self.begin_on(self.pool.take())
        except Disconnected:
            self.begin_on(self.pool.take())

    def begin_on(self, connection: PooledConnection) -> None:
        """Begin on a connection, which goes back to the pool if that fails."""
        self.connection = connection
        settings, options = self.pool.settings, self.options
        has_number = not options.read_only and connection.pgconn.parameter_status(b"in_hot_standby") != b"on"
        shape = (options, connection.pgconn.server_version, has_number)
        text = self.pool.openings.get(shape)
        if text is None:
            text = opening(options, settings, version=shape[1], has_number=has_number)
            if len(self.pool.openings) < SHAPES:
                self.pool.openings[shape] = text
        connection.timeout_s = options.statement_timeout_s or settings.statement_timeout_s
        connection.work_if_lost = Outcome.NOT_SENT
        try:
            answer = connection.execute(text, prepare=False)
            while answer.nextset():
                pass
            if has_number:
                self.xid, self.server_started = answer.fetchone() or (None, None)
        except psycopg.Error as error:
            named = connection.name(error)
            self.pool.give_back(connection)
            raise named from error
        except BaseException:
            self.pool.give_back(connection)
            raise
        connection.work_if_lost = Outcome.ROLLED_BACK

    def end(self) -> None:
        """Commit, look at the answer, give the connection back, then call the hooks."""
        status = self.connection.pgconn.transaction_status
        if status == TransactionStatus.INTRANS:
            self.commit()
            self.state = State.COMMITTED
            call(self.hooks)
            return
        self.state = State.ROLLED_BACK
        problem: BaseException
        if status == TransactionStatus.IDLE:
            problem = UsageError("the block ended its own transaction with COMMIT or ROLLBACK: leave that to the block")
        else:
            problem = self.swallowed()
        self.roll_back(problem)
        raise problem

    def commit(self) -> None:
        """Commit; return when the server has said so, now or when asked again."""
        connection = self.connection
        connection.work_if_lost = Outcome.ROLLED_BACK if self.xid is None else Outcome.UNKNOWN
        lost: psycopg.Error | DatabaseError
        try:
            answer = connection.execute("commit", prepare=False).statusmessage
        except (psycopg.Error, DatabaseError) as error:
            named = connection.name(error) if isinstance(error, psycopg.Error) else error
            is_lost = connection.is_abandoned or isinstance(named, Disconnected)
            self.pool.give_back(connection)
            if not is_lost:
                self.state = State.ROLLED_BACK
                raise named from error
            lost = error
        except BaseException as interruption:
            self.pool.give_back(connection)
            interruption.add_note(f"COMMIT had been sent; the transaction is now: {self.ask().value}")
            raise
        else:
            problem = None if answer == "COMMIT" else self.swallowed()
            self.pool.give_back(connection)
            if problem is not None:
                self.state = State.ROLLED_BACK
                raise problem
            return
        self.settle(lost)

    def settle(self, lost: psycopg.Error | DatabaseError) -> None:
        """Return if the transaction is known to be committed although the answer was lost.

        Raises:
            Disconnected: it is known to be rolled back.
            CommitUnknown: nobody could be asked in time.
        """
        fate = self.ask()
        if fate is Fate.COMMITTED:
            return
        if fate is Fate.ROLLED_BACK:
            self.state = State.ROLLED_BACK
            raise Disconnected(
                "the connection was lost during COMMIT, and the transaction was rolled back: run it again",
                sqlstate=lost.sqlstate,
                outcome=Outcome.ROLLED_BACK,
            ) from lost
        raise CommitUnknown(
            f"the connection was lost during COMMIT, and for {self.pool.settings.checkout_timeout_s:g} s nobody could"
            f" be asked what became of transaction {self.xid}: ask the server with pg_xact_status('{self.xid}')",
            sqlstate=lost.sqlstate,
        ) from lost

    def ask(self) -> Fate:
        """Return what became of the transaction; one without a number has stored nothing."""
        if self.xid is None:
            return Fate.ROLLED_BACK
        return find_fate(self.pool, self.xid, self.server_started, self.connection.backend_pid)

    def undo(self, error: BaseException) -> None:
        """Roll back and give the connection back."""
        self.roll_back(error)

    def roll_back(self, error: BaseException) -> None:
        """Roll back, or give up the connection, which has the same effect; what goes wrong is a note on `error`."""
        connection = self.connection
        try:
            if connection.is_in_transaction:
                connection.timeout_s = min(connection.timeout_s, ROLLBACK_S)
                connection.execute("rollback", prepare=False)
        except (psycopg.Error, DatabaseError) as failure:
            said = connection.name(failure) if isinstance(failure, psycopg.Error) else failure
            error.add_note(f"the rollback failed as well ({said}); the server does it when it sees the connection gone")
        finally:
            self.state = State.ROLLED_BACK
            self.pool.give_back(connection)


class Savepoint(Block):
    """Is a block inside a transaction: it can be taken back alone."""

    def __init__(self, outer: Block, options: Options) -> None:
        super().__init__(outer.pool, options)
        self.parent = outer
        self.connection = outer.connection
        self.name = f"trueup_{1 if isinstance(outer, Transaction) else int(outer.name[7:]) + 1}"  # type: ignore[attr-defined]
        if options.isolation or options.read_only or options.deferrable or options.durable:
            raise UsageError(
                "inside a transaction db.transaction() is a savepoint: isolation, read_only, deferrable and durable"
                " belong to the outermost one"
            )

    def begin(self) -> None:
        """Set the savepoint and its timeouts in one round trip."""
        self.timeout_before_s = self.connection.timeout_s
        if self.connection.pgconn.transaction_status == TransactionStatus.INERROR:
            raise self.swallowed()
        self.send(f"savepoint {self.name}", *limits(self.options))
        self.connection.timeout_s = self.options.statement_timeout_s or self.timeout_before_s
        self.connection.failure = None

    def end(self) -> None:
        """Release the savepoint, and put the outer timeouts back."""
        status = self.connection.pgconn.transaction_status
        if status != TransactionStatus.INTRANS:
            problem = self.swallowed()
            self.undo(problem)
            raise problem
        self.connection.timeout_s = self.timeout_before_s
        self.send(f"release savepoint {self.name}", *self.limits_before())
        self.state = State.COMMITTED
        self.parent.hooks += self.hooks

    def undo(self, error: BaseException) -> None:
        """Roll back to the savepoint; if that fails, the outer transaction can only be rolled back."""
        self.state = State.ROLLED_BACK
        self.connection.timeout_s = self.timeout_before_s
        if not self.connection.is_in_transaction:
            return
        try:
            self.send(f"rollback to savepoint {self.name}", f"release savepoint {self.name}")
            self.connection.failure = None
        except DatabaseError as failure:
            error.add_note(f"the rollback to the savepoint failed as well ({failure})")

    def limits_before(self) -> list[str]:
        """Return the statements that put back the timeouts which this block had changed."""
        block, settings = self.parent, self.pool.settings
        lock_s = settings.lock_timeout_s
        while True:
            if block.options.lock_timeout_s is not None:
                lock_s = block.options.lock_timeout_s
                break
            if not isinstance(block, Savepoint):
                break
            block = block.parent
        changed = []
        if self.options.lock_timeout_s is not None:
            changed.append(f"set local lock_timeout = {round(lock_s * 1000)}")
        if self.options.statement_timeout_s is not None:
            changed.append(f"set local statement_timeout = {round(self.timeout_before_s * 1000)}")
        return changed

    def send(self, *statements: str) -> None:
        """Run statements in one round trip."""
        try:
            self.connection.execute("; ".join(statements).encode(), prepare=False)
        except psycopg.Error as error:
            named = self.connection.name(error)
            raise named from error


def limits(options: Options) -> list[str]:
    """Return the statements for the timeouts that a block asks for."""
    asked = {"lock_timeout": options.lock_timeout_s, "statement_timeout": options.statement_timeout_s}
    return [f"set local {name} = {round(value * 1000)}" for name, value in asked.items() if value is not None]


def opening(options: Options, settings: DatabaseSettings, *, version: int, has_number: bool) -> bytes:
    """Return what begins a transaction, in one message.

    The transaction's number costs no round trip here, and is what tells later whether a COMMIT without an answer
    happened. Asking for it takes the snapshot of REPEATABLE READ and SERIALIZABLE.
    """
    modes = [f"isolation level {options.isolation}"] if options.isolation else []
    modes += ["read only"] * options.read_only + ["deferrable"] * options.deferrable
    statements = [f"begin {', '.join(modes)}".strip()]
    if settings.pooler:
        statements += [f"set local {name} = {value}" for name, value in timeouts(settings).items()]
    if version >= 170000:
        statements.append(f"set local transaction_timeout = {round(settings.transaction_timeout_s * 1000)}")
    statements += limits(options)
    if options.durable:
        statements.append(
            "select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off'"
        )
    if has_number:
        statements.append("select pg_current_xact_id()::text, pg_postmaster_start_time()")
    return "; ".join(statements).encode()


def call(hooks: list[Hook]) -> None:
    """Call every hook, also after one has failed; the transaction is committed whatever they do."""
    failures: list[Exception] = []
    for hook in hooks:
        try:
            hook()
        except Exception as failure:  # noqa: BLE001
            failure.add_note("raised by an on_commit hook: the transaction is committed")
            failures.append(failure)
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise ExceptionGroup("on_commit hooks failed; the transaction is committed", failures)
