"""trueup.db: its pool connects in threads of its own, and tells who waits for them what went wrong."""

from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import ref

from trueup.db import pooled, slots, supply
from trueup.errors import ConnectionFailed, Refused
from trueup.testing.guard.doors.changes import Changes
from trueup.testing.guard.doors.statements import recording_command
from trueup.testing.guard.gate import Gate
from trueup.testing.guard.stacks import capture


class ConnectionRefused(Refused, ConnectionFailed):
    """Says why a connection is refused, to a pool: as a login that will never work."""


def guard(gate: Gate, changes: Changes) -> None:
    """Lead the pools of trueup through the gate."""
    changes.replace(supply, "open_connection", lambda original: opening(gate, original))
    changes.replace(pooled.PooledConnection, "command", partial(recording_command, gate))
    changes.replace(slots.Slots, "__init__", lambda original: beginning(gate, original))


def opening(gate: Gate, original: Callable[..., Any]) -> Callable[..., Any]:
    """Ask before a connection is opened; what it is opened to is checked when the driver's object is made."""

    def open_connection(*arguments: Any) -> Any:
        try:
            gate.ask()
            return original(*arguments)
        except Refused as error:
            raise ConnectionRefused(str(error), is_final=True) from None

    return open_connection


def beginning(gate: Gate, original: Callable[..., None]) -> Callable[..., None]:
    """Note a pool; one that was never used needs no end."""

    def begin(self: Any, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **options)
        gate.note("pool", ref(self), capture())

    return begin
