"""How we talk to a server."""

from trueup.db.connection import Connection, connect, named_errors
from trueup.db.database import Database
from trueup.db.snapshot import Snapshot, snapshot

__all__ = ["Connection", "Database", "Snapshot", "connect", "named_errors", "snapshot"]
