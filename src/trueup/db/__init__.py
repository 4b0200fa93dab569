"""How we talk to a server."""

from typing import TYPE_CHECKING

from trueup.lazy import lazy_names

if TYPE_CHECKING:
    from trueup.db.block import Block, Isolation
    from trueup.db.budgets import budget
    from trueup.db.connection import Connection, connect, named_errors
    from trueup.db.database import Database
    from trueup.db.drain import drain_on_sigterm
    from trueup.db.events import PoolEvent
    from trueup.db.snapshots import Snapshot, snapshot
    from trueup.db.statistics import Statistics

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

# Who only connects needs no pool.
__getattr__ = lazy_names(
    __name__,
    {
        "Block": "block",
        "Connection": "connection",
        "Database": "database",
        "Isolation": "block",
        "PoolEvent": "events",
        "Snapshot": "snapshots",
        "Statistics": "statistics",
        "budget": "budgets",
        "connect": "connection",
        "drain_on_sigterm": "drain",
        "named_errors": "connection",
        "snapshot": "snapshots",
    },
)
