"""Databases on loan to tests: their names carry the run, and a lock says whether that still lives."""

import itertools
import secrets
from dataclasses import dataclass

from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.db import Connection
from trueup.testing.marks import Kind

PREFIX = "trueup_run_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Is one database that tests may change."""

    name: str
    conninfo: ConnInfo
    template: str
    """The name of the template that it is a clone of."""
    kind: Kind


def new_run() -> str:
    """Return the id of a run: 8 hex digits."""
    return secrets.token_hex(4)


class Names:
    """Gives the databases of one process of a run their names."""

    def __init__(self, run: str, worker: str) -> None:
        self.prefix = f"{PREFIX}{run}_{worker}_"
        self.numbers = itertools.count(1)

    def next(self) -> str:
        """Return a name that nobody has."""
        return f"{self.prefix}{next(self.numbers)}"


def create_clone(admin: Connection, name: str, template: str, kind: Kind) -> None:
    """Create a database as a copy of a template; the files are copied, which is the quickest way."""
    identifier = sql.Identifier(name)
    statement = sql.SQL("create database {} template {} strategy file_copy")
    admin.execute(statement.format(identifier, sql.Identifier(template)))
    if kind.timezone:
        setting = sql.SQL("alter database {} set timezone = {}")
        admin.execute(setting.format(identifier, sql.Literal(kind.timezone)))


def drop_clone(admin: Connection, name: str) -> None:
    """Drop a database with the connections to it; what is not there is no error."""
    admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
