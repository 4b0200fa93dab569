"""What a run has on a provided server: its lock says that it lives, and what runs left that are over is swept.

What is left over is told from what a living run uses by three facts together: the name has our shape, the database
carries the tests' mark, and nobody holds the lock of the run that is in its name. Sessions in it are never cut.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.db import Connection, connect
from trueup.errors import Refused
from trueup.testing.identity import OWNER, check_owned
from trueup.testing.leases import PREFIX

NAME = re.compile(r"trueup_run_([0-9a-f]{8})_\w+")
LOCK_CLASS = 0x74727275
"""The first half of the key of a run's advisory lock; the second is its id."""

SET_SINCE = 160000
"""The version in which who creates a role belongs to it without being allowed to act as it."""


@contextmanager
def claimed(conninfo: ConnInfo, run: str) -> Iterator[None]:
    """Hold the lock of a run on a provided server; what other runs left is dropped before, what this one left after.

    Raises:
        ConnectionFailed: the server can't be reached.
        Refused: it lacks the role that owns the databases of tests, and we can't create it.
    """
    admin = connect(conninfo, application_name=f"trueup-run-{run}")
    try:
        create_owner(admin)
        admin.execute("select pg_catalog.pg_advisory_lock(%s, %s)", [LOCK_CLASS, lock_key(run)])
        sweep(admin)
        yield
        for name in names_of(admin, run):
            unseal(admin, name)
            admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
    finally:
        admin.close()


def lock_key(run: str) -> int:
    """Return the id of a run as PostgreSQL's signed integer of 32 bits."""
    return int.from_bytes(bytes.fromhex(run), signed=True)


def create_owner(admin: Connection) -> None:
    """Create the role that owns the databases of tests where it is missing, and become a member of it."""
    owner = sql.Identifier(OWNER)
    privilege = "set" if admin.info.server_version >= SET_SINCE else "member"
    try:
        if not admin.execute("select from pg_catalog.pg_roles where rolname = %s", [OWNER]).rowcount:
            admin.execute(sql.SQL("create role {}").format(owner))
        if not admin.execute("select where pg_catalog.pg_has_role(%s, %s)", [OWNER, privilege]).rowcount:
            admin.execute(sql.SQL("grant {} to current_user").format(owner))
    except psycopg.errors.InsufficientPrivilege as error:
        raise Refused(
            f'the server has no role "{OWNER}" that this user belongs to, and the user may not create it: let an'
            f" administrator run: create role {OWNER}; grant {OWNER} to <the user>; alter role <the user> createdb"
        ) from error


def sweep(admin: Connection) -> list[str]:
    """Drop the databases of runs that are over, and return their names; one that is in use stays."""
    swept = []
    for name in names_of(admin):
        found = NAME.fullmatch(name)
        if found is None or is_alive(admin, found[1]):
            continue
        with suppress(Refused, psycopg.errors.ObjectInUse, psycopg.errors.InvalidCatalogName):
            check_owned(admin, name)
            unseal(admin, name)
            admin.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))
            swept.append(name)
    return swept


def names_of(admin: Connection, run: str = "") -> list[str]:
    """Return the names of the databases of one run, or of all."""
    found = admin.execute(
        "select datname from pg_catalog.pg_database where starts_with(datname, %s) order by datname", [PREFIX + run]
    )
    return [name for (name,) in found]


def is_alive(admin: Connection, run: str) -> bool:
    """Say whether somebody holds the lock of a run, whichever database of the server they are connected to."""
    found = admin.execute(
        "select from pg_catalog.pg_locks where locktype = 'advisory' and granted and classid = %s and objid = %s",
        [LOCK_CLASS, int(run, 16)],
    )
    return found.rowcount > 0


def unseal(admin: Connection, name: str) -> None:
    """Let a template be dropped."""
    admin.execute(sql.SQL("alter database {} with is_template false").format(sql.Identifier(name)))
