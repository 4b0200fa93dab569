"""A transaction inside a transaction."""

import psycopg
from psycopg.pq import TransactionStatus

from trueup.db.block import Block, Options, State, limits
from trueup.errors import DatabaseError, UsageError


class Savepoint(Block):
    """Is a block inside a transaction: it can be taken back alone."""

    def __init__(self, outer: Block, options: Options) -> None:
        super().__init__(outer.pool, options)
        self.parent = outer
        self.connection = outer.connection
        self.depth = outer.depth + 1
        self.xid = outer.xid
        self.name = f"trueup_{self.depth}"
        if options.isolation or options.read_only or options.deferrable or options.durable:
            raise UsageError(
                "inside a transaction db.transaction() is a savepoint: isolation, read_only, deferrable and durable"
                " belong to the outermost one"
            )

    def __del__(self) -> None:
        """End the outer transaction too if this block was interrupted before it could be taken back alone."""
        super().__del__()
        if self.state in {State.ACTIVE, State.UNKNOWN} and self.parent.is_active:
            self.connection.cut()

    @property
    def is_active(self) -> bool:
        """Whether the connection is the block's own to use: not any more when the outer transaction is over."""
        return super().is_active and self.parent.is_active

    def begin(self) -> None:
        """Set the savepoint and its timeouts in one round trip."""
        self.parent.refuse_if_over()
        self.timeout_before_s = self.connection.timeout_s
        if self.connection.pgconn.transaction_status == TransactionStatus.INERROR:
            raise self.swallowed()
        self.command(f"savepoint {self.name}", *limits(self.options))
        self.connection.timeout_s = self.options.statement_timeout_s or self.timeout_before_s
        self.connection.failure = None

    def end(self) -> None:
        """Release the savepoint, and put the outer timeouts back."""
        self.parent.refuse_if_over()
        status = self.connection.pgconn.transaction_status
        if status != TransactionStatus.INTRANS:
            problem = self.swallowed()
            self.undo(problem)
            raise problem
        self.connection.timeout_s = self.timeout_before_s
        self.command(f"release savepoint {self.name}", *self.limits_before())
        self.state = State.COMMITTED
        self.parent.hooks += self.hooks

    def undo(self, error: BaseException) -> None:
        """Roll back to the savepoint; if that fails, the outer transaction can only be rolled back."""
        self.state = State.ROLLED_BACK
        if not self.parent.is_active:
            return  # A generator outlived the transaction: the connection is somebody else's now.
        self.connection.timeout_s = self.timeout_before_s
        if not self.connection.is_in_transaction:
            return
        try:
            self.connection.execute(
                f"rollback to savepoint {self.name}; release savepoint {self.name}".encode(), prepare=False
            )
            self.connection.failure = None
        except (psycopg.Error, DatabaseError) as failure:
            said = self.connection.name(failure) if isinstance(failure, psycopg.Error) else failure
            error.add_note(f"the rollback to the savepoint failed as well ({said})")

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

    def command(self, *statements: str) -> None:
        """Run statements in one round trip."""
        try:
            self.connection.command("; ".join(statements).encode())
        except psycopg.Error as error:
            named = self.connection.name(error)
            raise named from error
