"""How we talk to a server."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Functions that have the names of their modules: those would take their places when they are imported later.
from trueup.db.budget import budget
from trueup.db.snapshot import Snapshot, snapshot

if TYPE_CHECKING:
    from trueup.db.block import Block, Isolation
    from trueup.db.connection import Connection, connect, named_errors
    from trueup.db.database import Database
    from trueup.db.drain import drain_on_sigterm
    from trueup.db.events import PoolEvent, Statistics

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

PLACES = {
    "Block": "block",
    "Connection": "connection",
    "Database": "database",
    "Isolation": "block",
    "PoolEvent": "events",
    "Statistics": "events",
    "connect": "connection",
    "drain_on_sigterm": "drain",
    "named_errors": "connection",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for: who only connects needs no pool."""
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{PLACES[name]}"), name)
