"""Templates: a database built once from migrations and seeds, sealed, and cloned for tests.

A template is finished when it is sealed, which is one statement and the last: before that, nobody clones it, and who
finds one unfinished builds it again. Its name holds the digest of all that it is made of.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.db import Connection, connect
from trueup.errors import MigrationFailed, UsageError
from trueup.migrations import Migrations, migrate_up, read_migrations
from trueup.migrations.execution import Task, run
from trueup.migrations.files import Block
from trueup.migrations.statements import split
from trueup.testing.marks import Kind

FORMAT = "1"
"""Changes with what `build` does."""
PREFIX = "trueup_template_"
LOCK_CLASS = 0x7472_7565


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Is what a template is built from, read once."""

    migrations: Migrations | None
    """None: the database stays empty."""
    seed: tuple[tuple[Path, str], ...]
    """The files that run afterwards, with their text."""
    digest: str
    """SHA-256 of both, in hex."""

    @property
    def name(self) -> str:
        """The name of the template."""
        return f"{PREFIX}{self.digest[:16]}"


def read_recipe(kind: Kind) -> Recipe:
    """Return what a kind of database is built from.

    Raises:
        UsageError: a folder or a file is not there or not readable.
        MigrationFailed: a migration is malformed.
    """
    migrations = read_migrations(kind.schema) if kind.schema else None
    seed = tuple((file, read_seed(file)) for file in kind.seed)
    parts = [FORMAT, migrations.digest if migrations else "", *(text for _, text in seed)]
    whole = "".join(f"{len(part)} {part}" for part in parts)
    return Recipe(migrations=migrations, seed=seed, digest=hashlib.sha256(whole.encode()).hexdigest())


def read_seed(file: Path) -> str:
    """Return the text of a file of SQL."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the seed {file}: {error}") from None


def ensure_template(admin: Connection, home: ConnInfo, recipe: Recipe) -> str:
    """Return the name of the recipe's template, built first where it isn't there; others who want it wait.

    Raises:
        MigrationFailed: with the file, the line and the statement.
    """
    with locked(admin, recipe):
        if not is_sealed(admin, recipe.name):
            build(admin, home, recipe)
    return recipe.name


@contextmanager
def locked(admin: Connection, recipe: Recipe) -> Iterator[None]:
    """Hold the lock on a template's name."""
    key = int.from_bytes(bytes.fromhex(recipe.digest[:8]), signed=True)
    admin.execute("select pg_catalog.pg_advisory_lock(%s, %s)", [LOCK_CLASS, key])
    try:
        yield
    finally:
        if not admin.closed:
            admin.execute("select pg_catalog.pg_advisory_unlock(%s, %s)", [LOCK_CLASS, key])


def is_sealed(admin: Connection, name: str) -> bool:
    """Say whether a template of that name is there and finished."""
    found = admin.execute(
        "select datistemplate and not datallowconn from pg_catalog.pg_database where datname = %s", [name]
    ).fetchone()
    return bool(found and found[0])


def build(admin: Connection, home: ConnInfo, recipe: Recipe) -> None:
    """Build a template; what an earlier try left is dropped."""
    name = sql.Identifier(recipe.name)
    admin.execute(sql.SQL("drop database if exists {} with (force)").format(name))
    admin.execute(sql.SQL("create database {} strategy file_copy").format(name))
    connection = connect(home.with_parameters(dbname=recipe.name))
    try:
        fill(connection, recipe)
    except BaseException:
        connection.close()
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(name))
        raise
    connection.close()
    admin.execute(sql.SQL("alter database {} with is_template true allow_connections false").format(name))


def fill(connection: Connection, recipe: Recipe) -> None:
    """Run migrations and seeds, and gather the planner's statistics, for nobody does it later."""
    if recipe.migrations:
        migrate_up(connection, recipe.migrations)
    for file, text in recipe.seed:
        statements = tuple(statement for statement in split(text) if not statement.is_blank)
        if not statements:
            raise MigrationFailed(f"{file} holds no statement: a seed that puts nothing in is a mistake")
        block = Block(sql=text, line=1, in_transaction=True, statements=statements)
        run(Task(connection=connection, file=file, block=block, record=lambda: None))
    connection.execute("analyze")
