"""Schema changes as plain SQL files, in the format and with the table of dbmate."""

from trueup.migrations.declarations import Declarations
from trueup.migrations.files import Block, Migration, Migrations, read_digest, read_migrations
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
