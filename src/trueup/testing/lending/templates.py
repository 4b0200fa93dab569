"""Templates: a database built once from migrations and seeds, sealed, and cloned for tests.

Its name holds the digest of all that it is made of, and is given to it last, when it is complete and nobody can connect
to it any more: a template that has its name is finished. What an interrupted build leaves has the name of its run.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from psycopg import sql

from trueup.db import Connection, connect
from trueup.errors import MigrationFailed, TrueupError, UsageError
from trueup.migrations import migrate_up, read_digest, read_migrations
from trueup.migrations.execution import Task, run
from trueup.migrations.files import Block
from trueup.migrations.statements import split
from trueup.testing.lending.leases import Site
from trueup.testing.marks import Kind

FORMAT = "1"
"""Changes with what `build` does."""
PREFIX = "trueup_template_"
LOCK_CLASS = 0x7472_7565


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Is what a template is built from."""

    schema: Path | None
    """The folder of migrations; None: the database stays empty."""
    schema_digest: str
    """What they were made of; their SQL is read when a template is built, and not for one that is there."""
    seed: tuple[tuple[Path, str], ...]
    """The files that run afterwards, with their text."""
    digest: str
    """SHA-256 of both, in hex."""

    @property
    def name(self) -> str:
        """The name of the template."""
        return f"{PREFIX}{self.digest[:16]}"


def is_parent(recipe: Recipe, other: Recipe) -> bool:
    """Say whether a recipe is the first part of another one."""
    is_first = recipe.seed == other.seed[: len(recipe.seed)]
    return recipe.schema_digest == other.schema_digest and is_first and recipe.digest != other.digest


def read_recipe(kind: Kind) -> Recipe:
    """Return what a kind of database is built from.

    Raises:
        UsageError: a folder or a file is not there or not readable.
        MigrationFailed: a file is no migration by its name.
    """
    schema_digest = read_digest(kind.schema) if kind.schema else ""
    seed = tuple((file, read_seed(file)) for file in kind.seed)
    parts = [FORMAT, schema_digest, *(text for _, text in seed)]
    whole = "".join(f"{len(part)} {part}" for part in parts)
    digest = hashlib.sha256(whole.encode()).hexdigest()
    return Recipe(schema=kind.schema, schema_digest=schema_digest, seed=seed, digest=digest)


def read_seed(file: Path) -> str:
    """Return the text of a file of SQL."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the seed {file}: {error}") from None


def ensure_template(site: Site, recipe: Recipe, *, parent: Recipe | None = None) -> str:
    """Return the name of the recipe's template, built first where it isn't there; others who want it wait.

    `parent` is the recipe of a template that is there and holds the first part of this one.

    Raises:
        MigrationFailed: with the file, the line and the statement.
    """
    if not site.exists(recipe.name):
        with locked(site.admin, recipe):
            if not site.exists(recipe.name):
                build(site, recipe, parent)
    site.check(recipe.name)
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


def build(site: Site, recipe: Recipe, parent: Recipe | None) -> None:
    """Build a template under the name of the run; seal it; then give it its name, which another may have taken."""
    name = site.next_name()
    conninfo = site.create(name, template=parent.name if parent else "template1")
    draft = sql.Identifier(name)
    try:
        connection = connect(conninfo)
        try:
            fill(connection, recipe, parent)
        finally:
            connection.close()
        site.admin.execute(sql.SQL("alter database {} with is_template true allow_connections false").format(draft))
        site.admin.execute(sql.SQL("alter database {} rename to {}").format(draft, sql.Identifier(recipe.name)))
    except BaseException as error:
        with suppress(psycopg.Error):
            site.admin.execute(sql.SQL("alter database {} with is_template false").format(draft))
            site.drop(name)
        if not isinstance(error, psycopg.errors.DuplicateDatabase):
            raise


def fill(connection: Connection, recipe: Recipe, parent: Recipe | None) -> None:
    """Run what the parent hasn't, and gather the planner's statistics, for nobody does it later."""
    if recipe.schema and parent is None:
        migrations = read_migrations(recipe.schema)
        if migrations.digest != recipe.schema_digest:
            raise UsageError(f"{recipe.schema} was changed while its tables were built: run the tests again")
        migrate_up(connection, migrations)
    for file, text in recipe.seed[len(parent.seed) if parent else 0 :]:
        statements = tuple(statement for statement in split(text) if not statement.is_blank)
        if not statements:
            raise MigrationFailed(f"{file} holds no statement: a seed that puts nothing in is a mistake")
        block = Block(sql=text, line=1, in_transaction=True, statements=statements)
        run(Task(connection=connection, file=file, block=block, record=lambda: None))
    connection.execute("analyze")


class Templates:
    """Knows the template of each kind that was asked for; a kind that failed is not tried again."""

    def __init__(self, site: Site, own: Kind) -> None:
        self.site = site
        self.own = own
        """The project's own kind."""
        self.names: dict[Kind, str] = {}
        self.failures: dict[Kind, TrueupError] = {}

    def name_of(self, kind: Kind) -> str:
        """Return the name of a kind's template, built first where need be.

        Raises:
            UsageError, MigrationFailed: it can't be built.
        """
        plain = replace(kind, timezone=None)
        if plain in self.failures:
            raise self.failures[plain].with_traceback(None)
        if plain not in self.names:
            try:
                self.names[plain] = self.build(plain)
            except (UsageError, MigrationFailed) as error:
                self.failures[plain] = error
                raise
        return self.names[plain]

    def build(self, kind: Kind) -> str:
        """Build the template of a kind, on top of the project's own one where that is its first part."""
        recipe = read_recipe(kind)
        own = read_recipe(self.own) if kind != self.own else recipe
        if not is_parent(own, recipe):
            return ensure_template(self.site, recipe)
        ensure_template(self.site, own)
        return ensure_template(self.site, recipe, parent=own)
