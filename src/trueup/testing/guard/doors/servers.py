"""Embedded servers: whoever starts one may reach it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from trueup.servers.embedded import EmbeddedServer
from trueup.testing.guard.doors.changes import Changes
from trueup.testing.guard.gate import OUTSIDE, Gate
from trueup.testing.guard.stacks import BETWEEN, SERVERS, capture, is_own


def guard(gate: Gate, changes: Changes) -> None:
    """Tell the gate of every server that is started."""
    changes.replace(EmbeddedServer, "__enter__", partial(starting, gate))


def starting(gate: Gate, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Let who starts a server possess it, and who asks for a fixture that is being made; the plugin's are given."""

    def enter(self: Any) -> Any:
        entered = original(self)
        if not is_own(capture(), past=(*BETWEEN, SERVERS)):
            for owner in {gate.owner, *(maker for maker in gate.owners if maker.fixture)} - {OUTSIDE}:
                gate.possess(owner.node, self, fixture=owner.fixture)
        return entered

    return enter
