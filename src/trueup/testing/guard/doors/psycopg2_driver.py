"""psycopg2: each of its ways to connect ends in one function of C; who calls a type of connections is not seen."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from weakref import ref

import psycopg2
from psycopg2 import extensions
from psycopg2.extras import wait_select

from trueup.testing.guard.doors.changes import Changes
from trueup.testing.guard.gate import Gate, application_name
from trueup.testing.guard.stacks import is_own


def guard(gate: Gate, changes: Changes) -> None:
    """Lead psycopg2 through the gate."""
    changes.replace(psycopg2, "_connect", partial(connecting, gate))


def connecting(gate: Gate, original: Callable[..., Any]) -> Callable[..., Any]:
    """Ask before connecting, and check the connection afterwards."""

    def connect(dsn: str, *arguments: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        stack = gate.ask()
        connection = original(dsn if is_own(stack) else with_name(dsn, gate), *arguments, **options)
        try:
            gate.vouch(connection.fileno(), partial(row_of, connection), psycopg2.Error, stack)
        except BaseException:
            connection.close()
            raise
        gate.note("connection", ref(connection), stack)
        return connection

    return connect


def with_name(dsn: str, gate: Gate) -> str:
    """Return a connection string that gives the session the test's name; a wrong one is the driver's to refuse."""
    with suppress(psycopg2.ProgrammingError):
        name = {"fallback_application_name": application_name(gate.owner.node)}
        return str(extensions.make_dsn(**{**name, **extensions.parse_dsn(dsn)}))
    return dsn


def row_of(connection: Any, question: str) -> Any:
    """Return the one row of a query, and the connection outside of a transaction; an asynchronous one is waited for."""
    if connection.async_:
        wait_select(connection)
    is_idle = not connection.async_ and not connection.autocommit and connection.status == extensions.STATUS_READY
    if is_idle:
        connection.autocommit = True
    try:
        with connection.cursor(cursor_factory=extensions.cursor) as cursor:
            cursor.execute(question)
            if connection.async_:
                wait_select(connection)
            return cursor.fetchone()
    finally:
        if is_idle:
            connection.autocommit = False
