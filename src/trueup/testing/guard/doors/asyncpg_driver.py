"""asyncpg: each of its ways to connect ends in one coroutine."""

from collections.abc import Callable
from typing import Any
from weakref import ref

from asyncpg import connect_utils

from trueup.errors import Refused
from trueup.testing.guard.doors.changes import Changes
from trueup.testing.guard.gate import Gate, application_name
from trueup.testing.guard.stacks import is_own
from trueup.testing.identity import PLACE, WHOSE_IS_THIS, identity_of


def guard(gate: Gate, changes: Changes) -> None:
    """Lead asyncpg through the gate."""
    changes.replace(connect_utils, "_connect", lambda original: connecting(gate, original))


def connecting(gate: Gate, original: Callable[..., Any]) -> Callable[..., Any]:
    """Ask before connecting, and check the connection afterwards."""

    async def connect(**options: Any) -> Any:
        stack = gate.ask()
        name = {"application_name": application_name(gate.owner.node)}
        connection = await original(**{**options, "server_settings": {**name, **(options["server_settings"] or {})}})
        try:
            if gate.is_closed and not is_own(stack):
                place = tuple(map(str, await connection.fetchrow(PLACE.decode())))
                whose = identity_of(await connection.fetchrow(WHOSE_IS_THIS))
                number = connection._transport.get_extra_info("socket").fileno()  # noqa: SLF001
                if not gate.is_home(number) and not gate.is_place_of_own(place):
                    gate.admit(place, whose, stack)
        except Refused:
            connection.terminate()
            raise
        gate.note("connection", ref(connection), stack)
        return connection

    return connect
