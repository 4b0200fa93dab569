"""Every error that trueup raises on purpose.

    TrueupError
    ├── UsageError                   the command, the configuration or the call is wrong
    ├── Refused                      doing it would be unsafe
    ├── MigrationFailed              a migration file is malformed, or its SQL failed
    ├── Unverifiable                 nothing could be verified, so nothing may be called equal
    │   ├── ServerUnavailable        no PostgreSQL server could be found or started
    │   └── RowsHidden               row security hides rows from the role
    └── DatabaseError                the database, or the way to it, said no           any other SQLSTATE
        ├── ConnectionFailed*        a server could not be reached, or refused the login   08001 28xxx 3D000
        │   ├── TooManyConnections   it has no slot left for this role                     53300
        │   └── AddressUnusable**    its address or its options can't be used
        ├── Disconnected*            a server went away in the middle                      08xxx 57Pxx 25P03 25P04
        ├── PoolTimeout              every connection of the pool stayed in use
        ├── WouldDeadlock            no connection can come back: their holders wait for one
        ├── Duplicate                a unique constraint                                   23505
        ├── ForeignKeyMissing        a foreign key constraint                              23503
        ├── NullNotAllowed           a NOT NULL column                                     23502
        ├── CheckFailed              a check constraint                                    23514
        ├── ExclusionConflict        an exclusion constraint                               23P01
        ├── InvalidData              a value does not fit its type                         22xxx
        ├── Conflict                 it lost a race: run it again                          40001 40P01
        ├── LockTimeout              another transaction kept the lock                     55P03
        ├── StatementTimeout         a statement took longer than it may                   57014
        ├── Cancelled                a statement was cancelled by request                  57014
        ├── SchemaMismatch           the SQL names what the database has not               42xxx
        │   └── PermissionMissing*   the role may not do it                                42501
        ├── TransactionAborted       a statement had failed, so nothing was committed      25P02
        └── CommitUnknown            nobody can say whether COMMIT happened

    * is Unverifiable as well: what was to be compared could not be read.
    ** is UsageError as well: no server was asked, another address has to be given.

A message says what happened, to which object, and what to do. It holds no password and no value of a row.
"""

from enum import Enum
from typing import Any, ClassVar


class TrueupError(Exception):
    """Is the root of every error that trueup raises on purpose."""


class UsageError(TrueupError):
    """Says that the command, the configuration or the call is wrong."""


class Refused(TrueupError):
    """Says that doing it would be unsafe, or would prove nothing."""


class MigrationFailed(TrueupError):
    """Says which migration file, at which line, failed and why."""


class Unverifiable(TrueupError):
    """Says why nothing could be verified."""


class ServerUnavailable(Unverifiable):
    """Says that no PostgreSQL server could be found or started."""


class RowsHidden(Unverifiable):
    """Says that row security hides rows of a table from the role."""


class Outcome(Enum):
    """Is what became of the work that an error interrupted."""

    NOT_SENT = "not_sent"
    ROLLED_BACK = "rolled_back"
    UNKNOWN = "unknown"


class DatabaseError(TrueupError):
    """Says what the database refused, and what became of the work; its cause is the driver's exception."""

    default_outcome: ClassVar[Outcome] = Outcome.ROLLED_BACK
    lost_a_race: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        sqlstate: str | None = None,
        table: str | None = None,
        constraint: str | None = None,
        columns: tuple[str, ...] = (),
        outcome: Outcome | None = None,
    ) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.table = table
        """With its schema: `public.clients`."""
        self.constraint = constraint
        self.columns = columns
        self.outcome = outcome or self.default_outcome

    @property
    def retryable(self) -> bool:
        """Whether the same work may succeed when it is run again from the start, and can't happen twice by that."""
        return self.lost_a_race and self.outcome is not Outcome.UNKNOWN

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args, self.__dict__


class ConnectionFailed(DatabaseError, Unverifiable):
    """Says that a server could not be reached, or refused the login."""

    default_outcome = Outcome.NOT_SENT

    def __init__(self, message: str, *, is_final: bool = False, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.is_final = is_final
        """Whether another attempt can't help: the login, the database or the certificate is wrong."""


class TooManyConnections(ConnectionFailed):
    """Says that the server, the database or the role allows no further connection."""


class AddressUnusable(ConnectionFailed, UsageError):
    """Says that a connection string, or the service that it names, can't be used by anybody."""


TOO_SLOW = frozenset({"25P03", "25P04"})
"""The server ended a transaction that had idled for too long, or lasted too long: it would again."""


class Disconnected(DatabaseError, Unverifiable):
    """Says that a server went away in the middle of the work."""

    default_outcome = Outcome.UNKNOWN
    lost_a_race = True

    @property
    def retryable(self) -> bool:
        """Whether the same work may succeed when it is run again, and can't happen twice by that."""
        return super().retryable and self.sqlstate not in TOO_SLOW


class PoolTimeout(DatabaseError):
    """Says that every connection of the pool stayed in use until the deadline, and who held them."""

    default_outcome = Outcome.NOT_SENT


class WouldDeadlock(DatabaseError):
    """Says that waiting for a connection would never end, with the stacks of those who wait for each other."""

    default_outcome = Outcome.NOT_SENT


class Duplicate(DatabaseError):
    """Says which unique constraint the row would break."""


class ForeignKeyMissing(DatabaseError):
    """Says which foreign key has no row to point to, or which row is still pointed to."""


class NullNotAllowed(DatabaseError):
    """Says which column must have a value."""


class CheckFailed(DatabaseError):
    """Says which check constraint the row would break."""


class ExclusionConflict(DatabaseError):
    """Says which exclusion constraint the row would break: it overlaps with another."""


class InvalidData(DatabaseError):
    """Says that a value does not fit the type it is meant for."""


class Conflict(DatabaseError):
    """Says that the transaction lost a race against another: a deadlock or a serialization failure."""

    lost_a_race = True


class LockTimeout(DatabaseError):
    """Says that another transaction kept a lock until the deadline."""


class StatementTimeout(DatabaseError):
    """Says that a statement took longer than it may."""


class Cancelled(DatabaseError):
    """Says that somebody cancelled the statement."""


class SchemaMismatch(DatabaseError):
    """Says which table, column, function or index the SQL expects and the database has not."""


class PermissionMissing(SchemaMismatch, Unverifiable):
    """Says what the role may not do."""


class TransactionAborted(DatabaseError):
    """Says that a transaction with a failed statement was to be committed; its cause is that failure."""

    @property
    def retryable(self) -> bool:
        """Whether the failure was one that another run may be spared."""
        return isinstance(self.__cause__, DatabaseError) and self.__cause__.retryable


class CommitUnknown(DatabaseError):
    """Says that the connection was lost during COMMIT, and nobody could be asked whether it happened."""

    default_outcome = Outcome.UNKNOWN

    def __init__(self, message: str, *, xid: int | None = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.xid = xid
        """The transaction's number, for pg_xact_status()."""
