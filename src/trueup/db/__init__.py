"""How we talk to a server."""

from trueup.db.block import Block, Isolation
from trueup.db.budget import budget
from trueup.db.connection import Connection, connect, named_errors
from trueup.db.database import Database
from trueup.db.drain import drain_on_sigterm
from trueup.db.events import PoolEvent, Statistics
from trueup.db.snapshot import Snapshot, snapshot

__all__ = [
    "Block",
    "Connection",
    "Database",
    "Isolation",
    "PoolEvent",
    "Snapshot",
    "Statistics",
    "budget",
    "connect",
    "drain_on_sigterm",
    "named_errors",
    "snapshot",
]
