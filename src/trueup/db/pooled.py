"""A connection of the pool: it keeps a deadline for each exchange with the server, and remembers what failed."""

import contextlib
import os
import socket
from select import POLLIN, poll
from time import monotonic
from typing import Any, TypeVar

import psycopg
from psycopg import errors as driver_errors
from psycopg import generators, pq
from psycopg._preparing import PrepareManager
from psycopg.abc import PQGen
from psycopg.pq.abc import PGresult
from psycopg.rows import tuple_row

from trueup.db.session import WatchingCursor
from trueup.db.sqlstate import is_unsent, named
from trueup.errors import DatabaseError, Outcome, StatementTimeout

IDLE = pq.TransactionStatus.IDLE
OPEN = frozenset({pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR})
NO_PIPELINE = pq.PipelineStatus.OFF
GRACE_S = 0.1
"""How much longer than the server the client waits, so that normally the server ends a statement and says so."""

T = TypeVar("T")


class OwnStatements(PrepareManager):
    """Forgets what the driver has prepared, one by one: DEALLOCATE ALL takes the repositories' statements as well.

    They would be missing in the middle of a transaction, after a savepoint of it was rolled back.
    """

    def clear(self) -> bool:
        """Have every statement of the driver closed with the next one that it sends."""
        names = [*self._names.values()]
        is_any = super().clear()
        if is_any:
            self._to_flush.clear()
            self._to_flush.extend(names)
        return is_any


class PooledConnection(psycopg.Connection[tuple[Any, ...]]):
    """Is a driver's connection whose every exchange ends, with an answer or an error, within `timeout_s` + 0.1 s."""

    def __init__(self, pgconn: Any) -> None:
        super().__init__(pgconn)
        self._prepared = OwnStatements()
        self.cursor_factory = WatchingCursor
        self.usual_timeout_s = self.timeout_s = 10.0
        """The statement timeout of the service, and the one in force."""
        self.backend_pid = pgconn.backend_pid
        self.failure: psycopg.Error | None = None
        """What made the transaction fail, or the connection break; errors that only follow from it don't count."""
        self.latest: psycopg.Error | None = None
        self.is_lost = False
        self.timed_out: BaseException | None = None
        """The last error that a statement timeout, and not a person, caused."""
        self.work_if_lost = Outcome.UNKNOWN
        """What becomes of the work if the connection breaks now."""
        self.exchange_s = 0.0
        """The time spent on waiting for the server, over the connection's life."""
        self.expires_at = float("inf")
        self.idle_since = monotonic()
        self.is_altered = False
        """Whether something changed the session for whoever uses it next."""
        self.is_pooled = False
        """Whether its session belongs to a pooler, and to whoever uses that next."""
        self.is_closing = False
        """Whether its statement is being cancelled because the pool ends: its user is told of a lost connection."""
        self.is_abandoned = False
        """Whether it is unknown if the server still works for it."""
        self.poller = poll()
        self.poller.register(pgconn.socket, POLLIN)

    def __del__(self, *_: object) -> None:
        """End the session without the driver's warning: an interruption may leave it between two owners."""

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Run an exchange with the server to its end.

        Raises:
            StatementTimeout: nothing answered within the deadline; the connection is closed.
        """
        started = monotonic()
        limit_s = self.timeout_s
        try:
            return super().wait(gen, interval, timeout or limit_s + GRACE_S)
        except driver_errors._WaitTimeout as silence:  # noqa: SLF001
            self.failure = self.failure or silence
            self.is_abandoned = True
            raise StatementTimeout(
                f"StatementTimeout: the server did not answer within {limit_s:g} s; the connection is given up",
                outcome=self.work_if_lost,
            ) from None
        except psycopg.Error as error:
            if self.is_closing and error.sqlstate == "57014":
                closed = psycopg.OperationalError("the pool was closed")
                self.note(closed)
                raise closed from error
            self.note(error)
            if error.sqlstate == "57014" and (
                monotonic() - started >= limit_s - 0.001 or "statement timeout" in (error.diag.message_primary or "")
            ):
                self.timed_out = error
            raise
        finally:
            self.exchange_s += monotonic() - started

    def command(self, statements: bytes) -> list[PGresult]:
        """Run statements of our own in one message and return their results: without a cursor, at half its cost.

        Not for ROLLBACK: the driver's cursor forgets its prepared statements then, as it must.
        """

        def exchange() -> PQGen[list[PGresult]]:
            self.pgconn.send_query(statements)
            results: list[PGresult] = yield from generators.execute(self.pgconn)
            failed = next((result for result in results if result.status == pq.ExecStatus.FATAL_ERROR), None)
            if failed is not None:
                raise driver_errors.error_from_result(failed)
            return results

        with self.lock:
            found: list[PGresult] = self.wait(exchange())
        return found

    def name(self, error: psycopg.Error) -> DatabaseError | psycopg.Error:
        """Return what `trueup.errors` calls an error of this connection, with that as its cause."""
        is_own = error is self.latest or error is self.failure
        found = named(error, lost=self.work_if_lost if is_own else Outcome.UNKNOWN, timed_out=self.timed_out is error)
        if isinstance(found, DatabaseError):
            found.__cause__ = error  # Already here: whoever reports it before it is raised knows that they are one.
            if is_own and self.is_lost and not is_unsent(error):
                found.outcome = self.work_if_lost  # Any error may be a fatal one.
        return found

    def note(self, error: psycopg.Error) -> None:
        """Remember what went wrong."""
        self.latest = error
        if self.is_lost:
            return
        self.is_lost = self.pgconn.status == pq.ConnStatus.BAD
        if self.is_lost or error.sqlstate not in {None, "25P02"}:
            self.failure = error

    @property
    def is_reusable(self) -> bool:
        """Whether the next user finds it as the first one did: connected, outside a transaction, in autocommit."""
        return (
            self.pgconn.transaction_status == IDLE
            and not self.is_altered
            and self.autocommit
            and self.pgconn.pipeline_status == NO_PIPELINE
        )

    @property
    def is_in_transaction(self) -> bool:
        """Whether the server is inside a transaction block, a failed one included, and ready for a statement."""
        return self.pgconn.transaction_status in OPEN

    @property
    def is_silent(self) -> bool:
        """Whether the server has sent nothing since the last answer: an idle connection with news is a dead one."""
        return not self.poller.poll(0)

    def refresh(self) -> None:
        """Forget the last user."""
        self.timeout_s = self.usual_timeout_s
        self.failure = self.latest = self.timed_out = None
        self.is_altered = False
        self.work_if_lost = Outcome.UNKNOWN
        self.exchange_s = 0.0
        self.row_factory = tuple_row
        self.cursor_factory = WatchingCursor

    def cut(self) -> None:
        """End the stream under whoever uses it: a statement that runs fails at once, and its transaction with it."""
        with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self.pgconn.socket)) as stream:
            stream.shutdown(socket.SHUT_RDWR)

    def orphan(self) -> None:
        """Close the copy of a socket that a fork made, without a word to the server."""
        with contextlib.suppress(OSError, psycopg.Error):
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, self.pgconn.socket)
            os.close(nothing)
        self.close()
