"""The connection of `conn`: kept from test to test, in one transaction that can't be committed.

What begins and ends that transaction is sent and not waited for: its answer is read when the connection is next used,
while the server works the test goes on. The check before the end decides, so pytest waits for it, but not before its
own hooks have had their turn.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, NoReturn, Self

import psycopg
from psycopg import pq
from psycopg.rows import tuple_row
from psycopg.sql import Composable

from trueup.conninfo import ConnInfo
from trueup.db import Connection
from trueup.db.pooled import OwnStatements
from trueup.db.sqlstate import named
from trueup.errors import DatabaseError, UsageError

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

IN_TRANSACTION = pq.TransactionStatus.INTRANS
FAILED = pq.TransactionStatus.INERROR
IDLE = pq.TransactionStatus.IDLE
ROWS, DONE = pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK
LOCKS = b"""
    select count(*) from pg_catalog.pg_locks where pid = pg_catalog.pg_backend_pid() and locktype = 'advisory'
"""
BEGIN = b"begin; set local trueup.transaction = 'open'"
CHECK = b"set constraints all immediate; show trueup.transaction"
END = b"""
    rollback;
    select
        pg_catalog.pg_advisory_unlock_all(),
        pg_catalog.pg_stat_get_xact_tuples_inserted(1249) + pg_catalog.pg_stat_get_xact_tuples_updated(1249)
        + pg_catalog.pg_stat_get_xact_tuples_deleted(1249) + pg_catalog.pg_stat_get_xact_tuples_inserted(1255)
        + pg_catalog.pg_stat_get_xact_tuples_updated(1255) + pg_catalog.pg_stat_get_xact_tuples_deleted(1255)
"""
"""Takes back what outlives the transaction too, and tells how much that has written into pg_attribute (1249) and
pg_proc (1255): until it has answered, the server knows it for itself, what was rolled back included."""
UNCHANGED = b"0"
THRESHOLD = 5
"""How often a statement runs before it is prepared, as with any connection of the driver."""
STEERING = ("set ", "reset ", "discard ", "deallocate ")
"""Begins statements after which what is prepared may mean something else."""

KNOWN = {f"_pg3_{depth}": (b'SAVEPOINT "_pg3_%d"' % depth, b'RELEASE "_pg3_%d"' % depth) for depth in range(1, 10)}
"""What begins and ends a savepoint, by the names that the driver gives."""

SUSPICIOUS = re.compile(r"\b(?:commit|end|prepare)\b", re.IGNORECASE)
"""Is in every statement that commits, and in few others: those are looked at closely."""
REMEDY = (
    "`conn` is one transaction that is rolled back after the test, so nothing in it can be committed: leave the commit"
    " out, use conn.transaction() for a part that may fail, or ask for `db`, where commits are real"
)


class KeptConnection(psycopg.Connection[tuple[Any, ...]]):
    """Is a driver's connection inside a transaction that ends with the test.

    `rollback()` goes back to the start of the test and `transaction()` is a savepoint. It stands in for a `Database`
    where one is only asked for connections and transactions, as repositories do.
    """

    is_spoilt = False
    """Whether something may be stored, or it can't be used again."""
    is_stale = False
    """Whether what is prepared may mean something else to the next test, which gets another connection then."""
    speaks_of_locks = False
    """Whether the test's SQL said so: only then it pays for a look at them."""

    def __init__(self, pgconn: "PGconn") -> None:
        self._is_unread = self._is_asked = False
        self._checked: PGresult | None = None
        self._reading = Lock()
        super().__init__(pgconn)
        self._prepared = OwnStatements()

    @property
    def pgconn(self) -> "PGconn":
        """The driver's connection, when it has answered what was sent."""
        if self._is_unread:
            self._read()
        return self._login

    @pgconn.setter
    def pgconn(self, login: "PGconn") -> None:
        self._login = login

    @property
    def is_lasting(self) -> bool:
        """Whether the next test can have it."""
        return not self.closed and not self.is_stale

    def note(self, meaning: "Meaning") -> None:
        """Remember what a statement means for the end of the test, and go on after a ROLLBACK in SQL."""
        self.speaks_of_locks |= meaning.speaks_of_locks
        self.is_stale |= meaning.is_steering
        self.begin()

    def _send(self, message: bytes) -> None:
        """Send a message, and go on; one that can't be sent shows when the connection is next used."""
        try:
            self.pgconn.send_query(message)
        except psycopg.OperationalError:
            return
        self._is_unread = True

    def _read(self) -> None:
        """Read the answer to what was sent; that of `END` says whether the test changed what is prepared."""
        with self._reading:
            if not self._is_unread:
                return
            while (result := self._login.get_result()) is not None:
                if self._is_asked:
                    self._checked = result
                else:
                    self.is_stale |= is_bad(result)
            self._is_unread = self._is_asked = False

    def commit(self) -> NoReturn:
        """Refuse.

        Raises:
            UsageError: always; says what to do instead.
        """
        raise UsageError(REMEDY)

    def rollback(self) -> None:
        """Go back to the start of the test, and go on in a new transaction."""
        super().rollback()
        self.begin()

    @contextmanager
    def transaction(
        self,
        savepoint_name: str | None = None,
        force_rollback: bool = False,  # noqa: FBT001, FBT002  As the driver has it.
    ) -> Iterator[psycopg.Transaction]:
        """Give a block of statements that are rolled back together; it is a savepoint of the test's transaction."""
        block = Savepoint(self, savepoint_name, force_rollback)
        if self._pipeline:
            with self.pipeline(), block, self.pipeline():
                yield block
        else:
            with block:
                yield block

    def begin(self) -> None:
        """Open the transaction, unless one is open, with a sign that ends with it."""
        if self.pgconn.transaction_status == IDLE:
            self._send(BEGIN)

    def ask(self) -> None:
        """Have what was deferred checked, for `check` to tell."""
        if self.pgconn.transaction_status == IN_TRANSACTION:
            self._send(CHECK)
            self._is_asked = self._is_unread

    def check(self) -> psycopg.Error | DatabaseError | None:
        """Check what was deferred; return why a commit would fail now, None: it would not.

        Raises:
            UsageError: the transaction was ended behind our back.
        """
        status = pq.TransactionStatus(self.pgconn.transaction_status)
        found, self._checked = self._checked, None
        if found is None and status == IN_TRANSACTION:
            found = self.pgconn.exec_(CHECK)
        if found is not None and is_open(found):
            return None
        # A test that has caught an error may leave its transaction failed: that may be what it is about.
        if self.closed or (found is None and status == FAILED):
            return None
        if found is not None and found.status == pq.ExecStatus.FATAL_ERROR:
            return named(psycopg.errors.error_from_result(found))
        self.is_spoilt = True
        if status in {IN_TRANSACTION, IDLE}:
            raise UsageError(f"the test ended the transaction of `conn`: {REMEDY}")
        raise UsageError(f"the test left `conn` in the middle of a statement or COPY ({status.name}): finish it")

    def end(self) -> int:
        """Roll back, and undo what outlives a transaction; return how many advisory locks were found.

        A connection that is spoilt is closed.
        """
        if self.closed:
            return 0
        if self.pgconn.transaction_status not in {IN_TRANSACTION, FAILED}:
            self.is_spoilt = True
        self._checked = None
        if self.is_spoilt:
            self.close()
            return 0
        found = self.end_locks() if self.speaks_of_locks else 0
        self._send(END)
        self.forget_choices()
        return found

    def end_locks(self) -> int:
        """Give advisory locks back now; return how many outlive the transaction."""
        self.speaks_of_locks = False
        self.pgconn.exec_(b"rollback")
        found = int(self.pgconn.exec_(LOCKS).get_value(0, 0) or 0)
        self.pgconn.exec_(b"select pg_catalog.pg_advisory_unlock_all(); begin")
        return found

    def forget_choices(self) -> None:
        """Be as new to the next test, whatever this one has chosen for rows, types and notices."""
        self.is_stale |= self.cursor_factory is not KeptCursor  # Nobody has seen its statements.
        self.row_factory, self.cursor_factory = tuple_row, KeptCursor
        self.server_cursor_factory = psycopg.ServerCursor
        self.prepare_threshold = THRESHOLD
        vars(self).update(_adapters=None, _notice_handlers=[], _notify_handlers=[])

    @contextmanager
    def __call__(self) -> Iterator[Connection]:
        """Give this connection, with the names of its errors: `conn.connection()`, as `Database.connection` does.

        The driver needs `connection` to be the connection itself, so it is that which is called.
        """
        self.begin()
        try:
            yield self
        except psycopg.Error as error:
            if (better := named(error)) is error:
                raise
            raise better from error


class Savepoint(psycopg.Transaction):
    """Is a block whose commands are known where the driver has named it: to compose them takes it 20 µs."""

    def _get_enter_commands(self) -> Iterator[bytes]:
        return iter(KNOWN[self._savepoint_name][:1]) if self._is_known else super()._get_enter_commands()

    def _get_commit_commands(self) -> Iterator[bytes]:
        return iter(KNOWN[self._savepoint_name][1:]) if self._is_known else super()._get_commit_commands()

    @property
    def _is_known(self) -> bool:
        return not self._outer_transaction and self._savepoint_name in KNOWN


class KeptCursor(psycopg.Cursor[tuple[Any, ...]]):
    """Is a cursor that sends no COMMIT."""

    def execute(
        self, query: Any, params: Any = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> Self:
        """Run a statement.

        Raises:
            UsageError: it would commit; nothing was sent.
        """
        text = query.as_bytes(self.connection) if isinstance(query, Composable) else query
        meaning = meaning_of(text.decode(errors="replace") if isinstance(text, bytes) else str(text))
        if meaning.is_commit:
            raise UsageError(REMEDY)
        try:
            return super().execute(text, params, prepare=prepare, binary=binary)
        finally:
            if isinstance(self._conn, KeptConnection):
                self._conn.note(meaning)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """Is what the text of a statement means for `conn`."""

    is_commit: bool
    """Whether it would end the transaction for good."""
    speaks_of_locks: bool
    is_steering: bool
    """Whether what is prepared may mean something else afterwards."""


@lru_cache(maxsize=256)
def meaning_of(text: str) -> Meaning:
    """Return what a statement means; those of a test are mostly known from the one before."""
    lower = text.lower()
    is_steering = lower.lstrip().startswith(STEERING) or "search_path" in lower or "set_config" in lower
    return Meaning(is_commit=is_commit(text), speaks_of_locks="advisory" in lower, is_steering=is_steering)


def is_commit(text: str) -> bool:
    """Say whether a statement in a text ends the transaction for good."""
    if SUSPICIOUS.search(text) is None:
        return False
    from trueup.migrations.statements import split  # noqa: PLC0415  Few tests say such a word.

    return any(
        statement.words[:1] in {("commit",), ("end",)} or statement.words[:2] == ("prepare", "transaction")
        for statement in split(text)
    )


def is_open(result: "PGresult") -> bool:
    """Say whether the last answer to `CHECK` is the sign of the test's own transaction."""
    return result.status == ROWS and result.get_value(0, 0) == b"open"


def is_bad(result: "PGresult") -> bool:
    """Say whether an answer is an error, or tells that the structure was changed."""
    if result.status == ROWS:
        return result.nfields == 2 and result.get_value(0, 1) != UNCHANGED
    return result.status != DONE


def open_kept(conninfo: ConnInfo) -> KeptConnection:
    """Connect."""
    return KeptConnection.connect(conninfo.reveal(), prepare_threshold=THRESHOLD, cursor_factory=KeptCursor)
