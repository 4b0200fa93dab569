"""pg8000: each of its ways to connect ends in the constructor of one class."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from inspect import signature
from typing import Any
from weakref import ref

from pg8000 import core
from pg8000.exceptions import Error

from trueup.testing.guard.doors.changes import Changes
from trueup.testing.guard.gate import Gate, application_name


def guard(gate: Gate, changes: Changes) -> None:
    """Lead pg8000 through the gate."""
    changes.replace(core.CoreConnection, "__init__", partial(connecting, gate))


def connecting(gate: Gate, construct: Callable[..., None]) -> Callable[..., None]:
    """Ask before connecting, and check the connection afterwards."""

    def gated(self: Any, *arguments: Any, **options: Any) -> None:
        __tracebackhide__ = True
        stack = gate.ask()
        given = signature(construct).bind(self, *arguments, **options)
        if given.arguments.get("application_name") is None:
            given.arguments["application_name"] = application_name(gate.owner.node)
        construct(*given.args, **given.kwargs)
        try:
            number = self._usock.fileno()
            gate.vouch(number, lambda question: self.execute_simple(question).rows[0], Error, stack)
        except BaseException:
            with suppress(Error, OSError):
                self.close()
            raise
        gate.note("connection", ref(self), stack)

    return gated
