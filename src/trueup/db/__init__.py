"""How we talk to a server."""

from trueup.db.connection import connect, named_errors
from trueup.db.snapshot import Snapshot, snapshot

__all__ = ["Snapshot", "connect", "named_errors", "snapshot"]
