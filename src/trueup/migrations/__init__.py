"""Schema changes as plain SQL files, in the format and with the table of dbmate."""

from typing import TYPE_CHECKING

from trueup.lazy import lazy_names

if TYPE_CHECKING:
    from trueup.migrations.declarations import Declarations
    from trueup.migrations.files import Block, Migration, Migrations, read_migrations
    from trueup.migrations.folders import read_digest
    from trueup.migrations.history import HISTORY
    from trueup.migrations.runner import LOCK_TIMEOUT_S, MigrationState, State, migrate_down, migrate_up, status

__all__ = [
    "HISTORY",
    "LOCK_TIMEOUT_S",
    "Block",
    "Declarations",
    "Migration",
    "MigrationState",
    "Migrations",
    "State",
    "migrate_down",
    "migrate_up",
    "read_digest",
    "read_migrations",
    "status",
]

# A run of tests needs the digest alone, where the template is there.
__getattr__ = lazy_names(
    __name__,
    {
        "Declarations": "declarations",
        "Block": "files",
        "Migration": "files",
        "Migrations": "files",
        "read_migrations": "files",
        "read_digest": "folders",
        "HISTORY": "history",
        "LOCK_TIMEOUT_S": "runner",
        "MigrationState": "runner",
        "State": "runner",
        "migrate_down": "runner",
        "migrate_up": "runner",
        "status": "runner",
    },
)
