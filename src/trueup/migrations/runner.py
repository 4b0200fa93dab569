"""Up, down and status of one database.

A version is applied when `schema_migrations` says so. A database may be ahead of the files: up goes on regardless,
down refuses where it would undo something below a migration whose file is not here, status shows it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import psycopg

from trueup.db.connection import Connection
from trueup.db.sqlstate import named
from trueup.errors import MigrationFailed, Refused, UsageError
from trueup.migrations.execution import FRESH_SESSION, Task, is_idle, run
from trueup.migrations.files import Block, Migration, Migrations
from trueup.migrations.history import History
from trueup.migrations.lock import find_session, migration_lock

LOCK_TIMEOUT_S = 300.0
"""How long a run of migrations waits for another one, and for a lock of a table, unless told otherwise."""

State = Literal["applied", "pending", "late", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationState:
    """Is one version and how it stands."""

    version: str
    name: str | None
    """None: its file is not here."""
    state: State
    """`late` is pending, yet older than something applied; `missing` is applied, but its file is not here."""


def status(connection: Connection, migrations: Migrations) -> tuple[MigrationState, ...]:
    """Return every version of the files and of the database, oldest first; changes nothing.

    Raises:
        PermissionMissing: the role may not read the table.
        Disconnected: the server went away.
    """
    with named_failures():
        return compare(migrations, History.of(connection).versions())


def compare(migrations: Migrations, applied: frozenset[str]) -> tuple[MigrationState, ...]:
    """Return how each version stands that is in either, oldest first."""
    names = {migration.version: migration.name for migration in migrations.files}
    newest = max(map(age, applied), default=(0, ""))

    def find_state(version: str) -> State:
        if version in applied:
            return "applied" if version in names else "missing"
        return "late" if age(version) < newest else "pending"

    return tuple(
        MigrationState(version=version, name=names.get(version), state=find_state(version))
        for version in sorted(names.keys() | applied, key=age)
    )


def age(version: str) -> tuple[float, str]:
    """Return a key that sorts versions as numbers; what is no number comes last."""
    return (int(version) if version.isascii() and version.isdigit() else float("inf"), version)


def migrate_up(
    connection: Connection, migrations: Migrations, *, to: str | None = None, lock_timeout_s: float = LOCK_TIMEOUT_S
) -> tuple[Migration, ...]:
    """Apply what is pending, oldest first, up to and including `to`; returns what was applied, in order.

    Each file is one transaction together with its record, so that a failure leaves the files before it applied and
    nothing of itself; blocks with `transaction:false` excepted. Files older than the newest applied one are applied
    too. Settings, role and session authorization made by SET, by a file or before, are reset after each file: give
    those that are to last with the connection string.

    Raises:
        UsageError: no file has version `to`, or the connection is inside a transaction.
        MigrationFailed: the SQL of a file failed.
        Refused: another runner held the lock for longer than `lock_timeout_s`.
        PermissionMissing: the role may not keep the table `schema_migrations`.
        Disconnected: the server went away in the middle.
    """
    wanted = migrations.up_to(to)
    with exclusive(connection, lock_timeout_s) as session:
        history = History.of(connection)
        history.create()
        applied = history.versions()
        pending = tuple(migration for migration in wanted if migration.version not in applied)
        for migration in pending:
            confirm_session(connection, session)
            run_up(history, migration)
    return pending


def migrate_down(
    connection: Connection,
    migrations: Migrations,
    *,
    to: str | None = None,
    steps: int = 1,
    lock_timeout_s: float = LOCK_TIMEOUT_S,
) -> tuple[Migration, ...]:
    """Undo what was applied, newest first; returns what was undone, in order.

    With `to`, everything newer than `to` is undone and `to` stays; else the newest `steps`, or as many as there are.

    Raises:
        UsageError: no file has version `to`, `steps` is not positive, or the connection is inside a transaction.
        MigrationFailed: one of them can't be undone, and nothing was done; or the SQL of a file failed.
        Refused: see `migrate_up`; or something newer is applied whose file is not here, and nothing was done.
        PermissionMissing, Disconnected: see `migrate_up`.
    """
    if steps < 1:
        raise UsageError(f"cannot undo {steps} migrations: give a number from 1")
    kept = migrations.up_to(to) if to is not None else ()
    with exclusive(connection, lock_timeout_s) as session:
        history = History.of(connection)
        applied = history.versions()
        newest_first = [m for m in reversed(migrations.files) if m.version in applied and m not in kept]
        chosen = newest_first if to is not None else newest_first[:steps]
        blocks = find_down_blocks(chosen)
        check_nothing_above(migrations, chosen, applied)
        for migration, block in blocks:
            confirm_session(connection, session)
            run_down(history, migration, block)
    return tuple(chosen)


def run_up(history: History, migration: Migration) -> None:
    """Apply one file."""

    def record() -> None:
        history.add(migration.version)

    run(Task(connection=history.connection, file=migration.file, block=migration.up, record=record))


def run_down(history: History, migration: Migration, block: Block) -> None:
    """Undo one file."""

    def record() -> None:
        history.remove(migration.version)

    run(Task(connection=history.connection, file=migration.file, block=block, record=record))


def find_down_blocks(chosen: list[Migration]) -> list[tuple[Migration, Block]]:
    """Return each with the block that undoes it."""
    found = []
    for migration in chosen:
        if migration.down is None:
            raise MigrationFailed(
                f"{migration.file}: has no SQL below a `-- migrate:down`, so it can't be undone; nothing was done."
                " Where there is nothing to undo, write `select;` there"
            )
        found.append((migration, migration.down))
    return found


def check_nothing_above(migrations: Migrations, chosen: list[Migration], applied: frozenset[str]) -> None:
    """Refuse to undo something below a migration whose file is not here."""
    known = {migration.version for migration in migrations.files}
    missing = sorted(applied - known, key=age)
    if chosen and missing and age(missing[-1]) > age(chosen[-1].version):
        raise Refused(
            f"version {missing[-1]} is applied, newer than {chosen[-1].version}, and has no file in"
            f" {migrations.folder}: undo it first with the files it came from; nothing was done"
        )


@contextmanager
def exclusive(connection: Connection, lock_timeout_s: float) -> Iterator[int]:
    """Hold the lock and a session without settings of its own; gives the id of the server process."""
    if not connection.autocommit or not is_idle(connection):
        raise UsageError("migrations need a connection in autocommit mode, outside a transaction")
    with named_failures(), migration_lock(connection, timeout_s=lock_timeout_s) as session:
        for command in FRESH_SESSION:
            connection.execute(command)
        yield session


@contextmanager
def named_failures() -> Iterator[None]:
    """Give the driver's errors about our own statements their names."""
    try:
        yield
    except psycopg.Error as error:
        raise named(error) from error


def confirm_session(connection: Connection, session: int) -> None:
    """Refuse to go on when the server process is not the one that holds the lock any more."""
    if find_session(connection) != session:
        raise Refused(
            "a connection pooler changed the server session, and the migration lock stayed with the old one: connect"
            " to the server directly, or through a pooler in session mode"
        )
