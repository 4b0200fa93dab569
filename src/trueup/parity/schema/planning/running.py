"""Runs the statements of a plan as they are to be run for good."""

import re
from collections.abc import Iterable

import psycopg
from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.parity.schema.names import QualifiedName
from trueup.parity.schema.planning.hazards import CONVERTS, DUPLICATES, FILLED
from trueup.parity.schema.planning.locking import BROKEN
from trueup.parity.schema.planning.stating import Statement, transactions

SETTINGS = ("set lock_timeout = '5s'", "set check_function_bodies = off", "set search_path = ''")
"""What a plan runs with: it waits for nobody for long, and means exactly what it names."""
NAME = r'(?:"(?:[^"]|"")+"|[^\s".]+)'
ALTERED = re.compile(rf"alter table (?:only )?(?P<table>{NAME}\.{NAME}) ")
OF_ROWS = frozenset({"22", "23"})
"""Classes of errors that rows are the cause of."""


class Unproved(Exception):
    """Is why a plan is not proved."""


class RowsRefused(Unproved):
    """Is that rows of a table stopped a statement that says that it may fail with some."""

    def __init__(self, message: str, table: str) -> None:
        super().__init__(message)
        self.table = table


def execute(conninfo: ConnInfo, maker: str, statements: Iterable[Statement], doing: str) -> None:
    """Run statements as they would be run for good: as the role, with the settings, in the same transactions."""
    connection = connect(conninfo)
    try:
        connection.execute(sql.SQL("set role {}").format(sql.Identifier(maker)))
        for setting in SETTINGS:
            connection.execute(setting)
        for group in transactions(statements):
            if group[0].is_alone:
                attempt(connection, group[0], doing)
                continue
            with connection.transaction():
                for statement in group:
                    attempt(connection, statement, doing)
    finally:
        connection.close()


def attempt(connection: psycopg.Connection[tuple[object, ...]], statement: Statement, doing: str) -> None:
    """Run one statement.

    Raises:
        Unproved: with what the server says.
    """
    try:
        connection.execute(statement.sql.encode())
    except psycopg.Error as error:
        said = error.diag.message_primary or str(error)
        kind, identity = statement.about
        message = f"{doing}: {kind} {identity}: {said} (SQLSTATE {error.sqlstate or 'unknown'})"
        if table := refusing(statement, error):
            raise RowsRefused(message, table) from error
        raise Unproved(message) from error


def refusing(statement: Statement, error: psycopg.Error) -> str | None:
    """Return the table whose rows stopped a statement that says that they may; None where it is something else."""
    told = (FILLED, BROKEN, DUPLICATES, CONVERTS)
    if (error.sqlstate or "")[:2] not in OF_ROWS or not any(each.startswith(told) for each in statement.hazards):
        return None
    if error.diag.table_name:
        return str(QualifiedName(error.diag.schema_name or "public", error.diag.table_name))
    named = ALTERED.match(statement.sql)
    return named["table"] if named else None
