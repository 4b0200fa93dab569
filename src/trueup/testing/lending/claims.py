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
from trueup.testing.identity import check_owned
from trueup.testing.lending.leases import PREFIX

NAME = re.compile(r"trueup_run_([0-9a-f]{8})_\w+")
LOCK_CLASS = 0x74727275
"""The first half of the key of a run's advisory lock; the second is its id."""


@contextmanager
def claimed(conninfo: ConnInfo, run: str) -> Iterator[None]:
    """Hold the lock of a run on a provided server; what other runs left is dropped before, what this one left after.

    Raises:
        ConnectionFailed: the server can't be reached.
        Refused: its database doesn't carry the tests' mark.
    """
    admin = connect(conninfo, application_name=f"trueup-run-{run}")
    try:
        check_owned(admin)
        admin.execute("select pg_catalog.pg_advisory_lock(%s, %s)", [LOCK_CLASS, lock_key(run)])
        sweep(admin)
        yield
        with suppress(psycopg.OperationalError):  # When the server is gone, the next run sweeps.
            for name in names_of(admin, run):
                drop(admin, name, force=True)
    finally:
        admin.close()


def lock_key(run: str) -> int:
    """Return the id of a run as PostgreSQL's signed integer of 32 bits."""
    return int.from_bytes(bytes.fromhex(run), signed=True)


def sweep(admin: Connection) -> list[str]:
    """Drop the databases of runs that are over, and return their names; one that is in use stays."""
    swept = []
    for name in names_of(admin):
        found = NAME.fullmatch(name)
        if found is None or is_alive(admin, found[1]):
            continue
        with suppress(Refused, psycopg.errors.ObjectInUse):
            drop(admin, name, force=False)
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


def drop(admin: Connection, name: str, *, force: bool) -> None:
    """Drop a database that tests own, a template too; `force` cuts the sessions in it.

    Raises:
        Refused: it isn't there any more, or isn't the tests' own.
        psycopg.errors.ObjectInUse: somebody works in it.
    """
    check_owned(admin, name)
    identifier = sql.Identifier(name)
    admin.execute(sql.SQL("alter database {} with is_template false").format(identifier))
    admin.execute(sql.SQL("drop database {}{}").format(identifier, sql.SQL(" with (force)" if force else "")))
