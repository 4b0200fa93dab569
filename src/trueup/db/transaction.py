"""A transaction that ends as it says: committed, rolled back, or an error that tells which.

The state is our own: a driver that was told COMMIT believes it, whatever the server answered.
"""

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGresult

from trueup.db.block import Block, Hook, Options, State, limits
from trueup.db.fate import Fate, find_fate
from trueup.db.hold import Hold, capture
from trueup.db.parameters import timeouts
from trueup.db.pooled import PooledConnection
from trueup.errors import TOO_SLOW, CommitUnknown, DatabaseError, Disconnected, Outcome, UsageError
from trueup.settings import DatabaseSettings

SHAPES = 256
"""How many different ways to begin are remembered as text."""
ROLLBACK_S = 5.0
"""How long a rollback may take before the connection is given up, which rolls back as well."""


class Transaction(Block):
    """Is a transaction on a connection of its own."""

    server_started: str = ""
    """When the server that gave the number began to run."""

    hold: Hold | None = None

    def __del__(self) -> None:
        super().__del__()
        if self.hold is not None:
            self.pool.abandon(self.hold)

    def begin(self) -> None:
        """Begin, with timeouts and number, in one round trip; again on another connection if this one is dead."""
        self.hold = Hold(capture())
        try:
            self.begin_on(self.pool.take(hold=self.hold))
        except Disconnected:
            self.begin_on(self.pool.take(hold=self.hold))

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
            results = connection.command(text)
            if has_number:
                self.xid, self.server_started = read_number(results[-1])
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
        self.undo(problem)
        raise problem

    def commit(self) -> None:
        """Commit; return when the server has said so, now or when asked again."""
        connection = self.connection
        connection.work_if_lost = Outcome.ROLLED_BACK if self.xid is None else Outcome.UNKNOWN
        lost: psycopg.Error | DatabaseError
        try:
            answer = connection.command(b"commit")[-1].command_status
        except (psycopg.Error, DatabaseError) as error:
            is_lost = (connection.is_abandoned or connection.is_lost) and error.sqlstate not in TOO_SLOW
            if not is_lost:
                connection.work_if_lost = Outcome.ROLLED_BACK
            named = connection.name(error) if isinstance(error, psycopg.Error) else error
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
            problem = None if answer == b"COMMIT" else self.swallowed()
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
            xid=self.xid,
            sqlstate=lost.sqlstate,
        ) from lost

    def ask(self) -> Fate:
        """Return what became of the transaction; one without a number has stored nothing."""
        if self.xid is None:
            return Fate.ROLLED_BACK
        return find_fate(self.pool, self.xid, self.server_started)

    def undo(self, error: BaseException) -> None:
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
    whole_s = max(settings.transaction_timeout_s, options.statement_timeout_s or 0)
    if version >= 170000 and (settings.pooler or whole_s > settings.transaction_timeout_s):
        statements.append(f"set local transaction_timeout = {round(whole_s * 1000)}")
    statements += limits(options)
    if options.durable:
        statements.append(
            "select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off'"
        )
    if has_number:
        statements.append("select pg_current_xact_id(), extract(epoch from pg_postmaster_start_time())")
    return "; ".join(statements).encode()


def read_number(result: PGresult) -> tuple[int, str]:
    """Return the two values of `opening`."""
    number, started = result.get_value(0, 0), result.get_value(0, 1)
    assert number
    assert started
    return int(number), started.decode()


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
