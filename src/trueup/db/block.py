"""A block of statements that happens as a whole or not at all: what a transaction and a savepoint have in common."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from threading import get_ident
from types import TracebackType
from typing import Any, Literal, Self, TypedDict, get_args
from weakref import ReferenceType, ref

import psycopg

from trueup import observe
from trueup.db.pool import Pool
from trueup.db.pooled import PooledConnection
from trueup.errors import DatabaseError, TransactionAborted, UsageError

Isolation = Literal["read committed", "repeatable read", "serializable"]
Hook = Callable[[], object]


class State(Enum):
    """Is where a transaction stands."""

    NEW = "new"
    ACTIVE = "active"
    COMMITTED = "committed"
    """For a savepoint: part of what the outer transaction will commit."""
    ROLLED_BACK = "rolled_back"
    UNKNOWN = "unknown"


class Choices(TypedDict, total=False):
    """Are the options of a transaction, each of which may be left out."""

    isolation: Isolation | None
    read_only: bool
    deferrable: bool
    lock_timeout_s: float | None
    statement_timeout_s: float | None
    durable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Is how a transaction begins."""

    isolation: Isolation | None = None
    read_only: bool = False
    deferrable: bool = False
    lock_timeout_s: float | None = None
    statement_timeout_s: float | None = None
    durable: bool = False

    def __post_init__(self) -> None:
        """Refuse what can't be meant.

        Raises:
            UsageError: with the name of the option.
        """
        if self.isolation not in {None, *get_args(Isolation)}:
            raise UsageError(f"isolation must be one of {', '.join(get_args(Isolation))}, not {self.isolation!r}")
        for name, limit_s in (
            ("lock_timeout_s", self.lock_timeout_s),
            ("statement_timeout_s", self.statement_timeout_s),
        ):
            if limit_s is not None and not 0.001 <= limit_s < 86_400 * 24:
                raise UsageError(f"{name} must be seconds, from 0.001 to 24 days, not {limit_s!r}")


CURRENT: ContextVar["ReferenceType[Block] | None"] = ContextVar("trueup_transaction", default=None)
"""The innermost block; only its `with` keeps it alive, so that its finalizer cleans up where that was interrupted."""


def current(pool: Pool) -> "Block | None":
    """Return the innermost transaction of this thread, and of this asyncio task if there is one, on a pool.

    Raises:
        UsageError: the transaction was begun by another thread or task, whose context this one was given.
    """
    block = innermost()
    while block is not None:
        if block.pool is pool and block.is_active and block.generation == pool.generation:
            if block.thread != get_ident() or block.task is not running_task():
                raise UsageError(
                    "this thread or task runs in the context of another one's transaction, which it can't use: start it"
                    " outside of the block, or in an empty contextvars.Context()"
                )
            return block
        block = block.outer
    return None


def innermost() -> "Block | None":
    """Return the block that was entered last in this context."""
    reference = CURRENT.get()
    return reference() if reference is not None else None


def running_task() -> object:
    """Return the asyncio task that runs in this thread, None outside of any."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


class Block(ABC):
    """Is a block of statements that happens as a whole or not at all."""

    connection: PooledConnection
    state = State.NEW
    depth = 0
    reference: "ReferenceType[Block] | None" = None
    xid: int | None = None
    """The number of the whole transaction for pg_xact_status(); None for one that only reads."""

    def __init__(self, pool: Pool, options: Options) -> None:
        self.pool = pool
        self.options = options
        self.outer: Block | None = None
        self.hooks: list[Hook] = []

    def __enter__(self) -> Self:
        if self.state is not State.NEW:
            raise UsageError("a transaction is entered once: call db.transaction() again")
        self.outer = innermost()
        self.generation = self.pool.generation
        self.thread, self.task = get_ident(), running_task()
        try:
            self.begin()
        except DatabaseError as error:
            observe.report_failure(error, component="db", operation="begin")
            raise
        self.state = State.ACTIVE
        self.reference = ref(self)
        CURRENT.set(self.reference)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.state = State.UNKNOWN
        self.leave()
        if error is None:
            try:
                self.end()
            except Exception as failure:
                observe.report_failure(failure, component="db", operation="transaction")
                raise
            return
        # Named before the connection goes back to the pool, for it knows what the error means.
        named = self.connection.name(error) if isinstance(error, psycopg.Error) else error
        self.undo(named)
        if isinstance(named, DatabaseError):
            observe.report_failure(named, component="db", operation="transaction")
        if named is not error:
            raise named from error

    def leave(self) -> None:
        """Make the outer block the innermost again."""
        if self.reference is not None and CURRENT.get() is self.reference:
            CURRENT.set(self.outer.reference if self.outer is not None else None)

    def __del__(self) -> None:
        self.leave()

    @property
    def is_active(self) -> bool:
        """Whether the connection is the block's own to use."""
        return self.state is State.ACTIVE

    @abstractmethod
    def begin(self) -> None:
        """Begin the block on the server."""

    @abstractmethod
    def end(self) -> None:
        """Make the block's work part of what is stored; whoever returns from here has succeeded."""

    @abstractmethod
    def undo(self, error: BaseException) -> None:
        """Take the block's work back because of `error`, which must not be replaced by what goes wrong here."""

    def execute(self, query: Any, parameters: Any = None) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run one statement in the block.

        Raises:
            DatabaseError: named by its SQLSTATE.
        """
        self.refuse_if_over()
        with observe.operation("db", "execute"):
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
        self.refuse_if_over()
        self.hooks.append(hook)

    def refuse_if_over(self) -> None:
        """Raise if the block has ended: its connection is somebody else's now."""
        if not self.is_active:
            raise UsageError(f"the transaction is over ({self.state.value}): use it inside its block")

    def swallowed(self) -> TransactionAborted:
        """Return the error for a block whose failed statement was to be committed, with that failure as its cause."""
        failure = self.connection.failure
        cause = self.connection.name(failure) if failure is not None else None
        error = TransactionAborted(
            "a statement failed inside the transaction and its error was swallowed, so nothing of it is stored: let the"
            " error leave the block, or put the statement into a db.transaction() of its own",
            sqlstate=cause.sqlstate if cause is not None else None,
        )
        error.__cause__ = cause
        return error


def limits(options: Options) -> list[str]:
    """Return the statements for the timeouts that a block asks for."""
    asked = {"lock_timeout": options.lock_timeout_s, "statement_timeout": options.statement_timeout_s}
    return [f"set local {name} = {round(value * 1000)}" for name, value in asked.items() if value is not None]
