"""psycopg: each of its ways to connect ends in one generator, and each connection in one constructor."""

import re
import select
from collections.abc import Callable, Generator
from functools import partial
from sys import _getframe
from typing import Any
from weakref import ref

from psycopg import _connection_base, errors, generators, pq

from trueup.testing.guard.doors.changes import Changes
from trueup.testing.guard.doors.statements import guard_cursors
from trueup.testing.guard.gate import Gate, application_name
from trueup.testing.guard.stacks import PACKAGE, capture, is_own

RUNTIME = f"{PACKAGE}/db/"
RAISED = "01000"
"""The SQLSTATE of a warning that functions raise: its text may hold values."""
NOTICES = 20
"""How many warnings of a test are kept."""
WAIT_S = 10.0
"""How long a login that was only begun may take."""


def guard(gate: Gate, changes: Changes) -> None:
    """Lead psycopg through the gate."""
    changes.replace(generators, "connect", partial(gated_generator, gate))
    changes.replace(_connection_base.BaseConnection, "__init__", partial(gated_constructor, gate))
    changes.replace(_connection_base.BaseConnection, "_notice_handler", partial(noting_notices, gate))
    changes.replace(pq, "PGconn", partial(gated_login, gate))
    guard_cursors(gate, changes)


def gated_generator(gate: Gate, connect: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return the generator that connects, asking first."""

    def gated(conninfo: str) -> Generator[Any, Any, Any]:
        __tracebackhide__ = True
        stack = gate.ask()
        return (yield from connect(conninfo if is_own(stack) else with_name(conninfo, gate)))

    return gated


def gated_constructor(gate: Gate, construct: Callable[..., None]) -> Callable[..., None]:
    """Return the constructor of connections, which lets the established connection be checked."""

    def gated(self: Any, pgconn: Any) -> None:
        construct(self, pgconn)
        stack = capture()
        pass_or_close(gate, pgconn, stack)
        gate.note("connection", ref(self), stack)

    return gated


def noting_notices(gate: Gate, handle: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Return what handles notices, noting warnings: `there is already a transaction in progress` and the like."""

    def noted(connection: Any, result: Any) -> None:
        diagnostic = errors.Diagnostic(result)
        if diagnostic.severity_nonlocalized == "WARNING" and len(gate.owner.notices) < NOTICES:
            is_hidden = diagnostic.sqlstate == RAISED and not gate.shows_values
            text = "raised by code in the database" if is_hidden else diagnostic.message_primary
            gate.owner.notices.append(f"{diagnostic.sqlstate}  {text}")
        handle(connection, result)

    return noted


def gated_login(gate: Gate, real: Any) -> Any:
    """Return the type of bare connections, with its two ways to connect led through the gate."""

    class Lookalike(type(real)):  # type: ignore[misc]
        """Takes instances of the real type for its own: those are what connecting returns."""

        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, real)

        def __subclasscheck__(cls, subclass: type) -> bool:
            return issubclass(subclass, real)

    class PGconn(real, metaclass=Lookalike):  # type: ignore[misc]
        """Is the driver's type, asked for by name."""

        @classmethod
        def connect(cls, conninfo: bytes) -> Any:
            """Connect, if the gate lets it."""
            stack = gate.ask()
            return entered(gate, real.connect(with_name(conninfo.decode(), gate).encode()), stack)

        @classmethod
        def connect_start(cls, conninfo: bytes) -> Any:
            """Begin to connect; only the runtime, whose connections are checked when complete, may do the rest."""
            if _getframe(1).f_code.co_filename.startswith(RUNTIME):
                return real.connect_start(conninfo)
            stack = gate.ask()
            login = real.connect_start(with_name(conninfo.decode(), gate).encode())
            complete(login)
            return entered(gate, login, stack)

    return PGconn


def entered(gate: Gate, login: Any, stack: Any) -> Any:
    """Return a login that was checked and noted; one that failed goes back as it is."""
    if login.status == pq.ConnStatus.OK:
        pass_or_close(gate, login, stack)
        gate.note("connection", ref(login), stack)
    return login


def pass_or_close(gate: Gate, login: Any, stack: Any) -> None:
    """Let an established connection be checked, and close it if it is refused."""
    if login.status != pq.ConnStatus.OK:
        return
    try:
        gate.check(login, stack)
    except BaseException:
        login.finish()
        raise


def complete(login: Any) -> None:
    """Drive a login to its end, or for ten seconds."""
    state = pq.PollingStatus.WRITING
    while login.status != pq.ConnStatus.BAD and state in {pq.PollingStatus.READING, pq.PollingStatus.WRITING}:
        reading = [login.socket] if state == pq.PollingStatus.READING else []
        writing = [] if reading else [login.socket]
        if not any(select.select(reading, writing, [], WAIT_S)):
            return
        state = login.connect_poll()


def with_name(conninfo: str, gate: Gate) -> str:
    """Return a connection string that gives the session the test's name, unless the string or PGAPPNAME names it."""
    name = application_name(gate.owner.node)
    if re.match(r"postgres(ql)?://", conninfo):
        from psycopg.conninfo import make_conninfo  # noqa: PLC0415  Loaded with the driver, and rarely needed.

        return make_conninfo(conninfo, fallback_application_name=name)
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"fallback_application_name='{escaped}' {conninfo}"
