"""Databases on loan to tests: created as copies of a template, owned and marked, named after their run."""

import itertools
from dataclasses import dataclass

import psycopg
from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.db import Connection, connect
from trueup.errors import Refused, UsageError
from trueup.testing.identity import OWNER, check_owned, mark_database
from trueup.testing.marks import Kind

PREFIX = "trueup_run_"
NUMBERS = itertools.count(1)
"""Of this process, not of a site: when a retried test is the last one, fixtures of the session are made once more."""
FILE_COPY_SINCE = 150000
"""Earlier versions always copy files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Is one database that tests may change."""

    name: str
    conninfo: ConnInfo
    template: str
    """The name of the template that it is a clone of."""
    kind: Kind


@dataclass(slots=True, kw_only=True)
class Site:
    """Is the server of a run as one thread of one process creates and drops databases on it."""

    admin: Connection
    conninfo: ConnInfo
    """What `admin` is connected to."""
    is_embedded: bool
    """Whether all databases of the server are the tests' own; else each carries its mark."""
    prefix: str
    """What the names of its databases begin with."""

    def next_name(self) -> str:
        """Return a name that no database has."""
        return f"{self.prefix}{next(NUMBERS)}"

    def create(self, name: str, *, template: str = "template1") -> ConnInfo:
        """Create a database that tests own, by copying the files of another one, which is the quickest way.

        Raises:
            Refused: the user may not.
        """
        statement = sql.SQL("create database {} template {}")
        parts: list[sql.Composable] = [statement.format(sql.Identifier(name), sql.Identifier(template))]
        if self.admin.info.server_version >= FILE_COPY_SINCE:
            parts.append(sql.SQL("strategy file_copy"))
        if not self.is_embedded:
            parts.append(sql.SQL("owner {}").format(sql.Identifier(OWNER)))
        try:
            self.admin.execute(sql.SQL(" ").join(parts))
        except psycopg.errors.InsufficientPrivilege as error:
            raise Refused(
                f"the user of --trueup-server may not create the databases of tests ({error.diag.message_primary}): let"
                f" an administrator run: alter role <the user> createdb; grant {OWNER} to <the user>"
            ) from error
        if not self.is_embedded:
            mark_database(self.admin, name)
        return self.conninfo.with_parameters(dbname=name)

    def clone(self, template: str, kind: Kind) -> Lease:
        """Create a database of a kind as a copy of its template.

        Raises:
            UsageError: the server does not know the time zone.
        """
        name = self.next_name()
        lease = Lease(name=name, conninfo=self.create(name, template=template), template=template, kind=kind)
        if kind.timezone:
            setting = sql.SQL("alter database {} set timezone = {}")
            try:
                self.admin.execute(setting.format(sql.Identifier(name), sql.Literal(kind.timezone)))
            except psycopg.errors.InvalidParameterValue as error:
                self.drop(name)
                raise UsageError(
                    f"pytest.mark.trueup: PostgreSQL knows no time zone {kind.timezone!r}; names are like Europe/Berlin"
                ) from error
        return lease

    def drop(self, name: str) -> None:
        """Drop a database with the connections to it; what is not there is no error.

        Raises:
            Refused: tests don't own it.
        """
        if not self.exists(name):
            return
        self.check(name)
        self.admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def exists(self, name: str) -> bool:
        """Say whether there is a database of that name."""
        return self.admin.execute("select from pg_catalog.pg_database where datname = %s", [name]).rowcount > 0

    def check(self, name: str) -> None:
        """Refuse a database that tests don't own; on a server that was started for them they own all.

        Raises:
            Refused: with the reason.
        """
        if not self.is_embedded:
            check_owned(self.admin, name)

    def close(self) -> None:
        """Close the connection; databases stay."""
        self.admin.close()


def open_site(conninfo: ConnInfo, *, run: str, worker: str, is_embedded: bool) -> Site:
    """Connect to the server of a run; the names of its databases carry the run and the worker.

    Raises:
        ConnectionFailed: it can't be reached.
    """
    admin = connect(conninfo, application_name=f"trueup-{run}-{worker}")
    return Site(admin=admin, conninfo=conninfo, is_embedded=is_embedded, prefix=f"{PREFIX}{run}_{worker}_")
