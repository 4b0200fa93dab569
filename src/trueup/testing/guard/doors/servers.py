"""Embedded servers: whoever starts one may reach it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from trueup.servers.embedded import EmbeddedServer
from trueup.testing.guard.doors.changes import Changes
from trueup.testing.guard.gate import Gate
from trueup.testing.guard.stacks import BETWEEN, SERVERS, capture, is_own


def guard(gate: Gate, changes: Changes) -> None:
    """Tell the gate of every server that is started."""
    changes.replace(EmbeddedServer, "__enter__", partial(starting, gate))


def starting(gate: Gate, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Let who starts a server possess it; those of the plugin are given by its fixtures."""

    def enter(self: Any) -> Any:
        entered = original(self)
        if not is_own(capture(), past=(*BETWEEN, SERVERS)):
            gate.possess(self)
        return entered

    return enter
