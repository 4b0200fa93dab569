"""Every error that trueup raises on purpose.

    TrueupError
    ├── UsageError               the command or the configuration is wrong
    ├── Refused                  doing it would be unsafe
    ├── MigrationFailed          a migration file is malformed, or its SQL failed
    └── Unverifiable             nothing could be verified, so nothing may be called equal
        ├── ServerUnavailable    no PostgreSQL server could be found or started
        ├── ConnectionFailed     a server could not be reached, or refused the login
        ├── ConnectionLost       a server went away in the middle
        ├── PermissionMissing    the role may not read what is to be compared
        └── RowsHidden           row security hides rows from the role

A message says what happened, to which object, and what to do. It holds no password and no value of a row.
"""


class TrueupError(Exception):
    """Is the root of every error that trueup raises on purpose."""


class UsageError(TrueupError):
    """Says that the command or the configuration is wrong."""


class Refused(TrueupError):
    """Says that doing it would be unsafe, or would prove nothing."""


class MigrationFailed(TrueupError):
    """Says which migration file, at which line, failed and why."""


class Unverifiable(TrueupError):
    """Says why nothing could be verified."""


class ServerUnavailable(Unverifiable):
    """Says that no PostgreSQL server could be found or started."""


class ConnectionFailed(Unverifiable):
    """Says that a server could not be reached, or refused the login."""


class ConnectionLost(Unverifiable):
    """Says that a server went away in the middle of the work."""


class PermissionMissing(Unverifiable):
    """Says that the role may not read what is to be compared."""


class RowsHidden(Unverifiable):
    """Says that row security hides rows of a table from the role."""
