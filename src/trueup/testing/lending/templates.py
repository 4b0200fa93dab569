"""Templates: a database built once from migrations and seeds, sealed, and cloned for tests.

Its name holds the digest of all that it is made of, and is given to it last, when it is complete and nobody can connect
to it any more: a template that has its name is finished. What an interrupted build leaves has the name of its run.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import psycopg
from psycopg import sql

from trueup.db import Connection, connect
from trueup.errors import MigrationFailed, TrueupError, UsageError
from trueup.testing.lending.leases import Lease, Site
from trueup.testing.lending.recipes import Recipe, is_parent, read_recipe
from trueup.testing.marks import Kind

LOCK_CLASS = 0x7472_7565


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
    from trueup.testing.lending.filling import fill  # noqa: PLC0415  Most runs find their template in the cache.

    name = site.next_name()
    conninfo = site.create(name, template=parent.name if parent else "template1")
    draft = sql.Identifier(name)
    try:
        connection = connect(conninfo)
        try:
            fill(connection, recipe, parent)
        finally:
            connection.close()
        connect(conninfo).close()  # Leaves a file that halves the first login to a clone; `analyze` has removed it.
        site.admin.execute(sql.SQL("alter database {} with is_template true allow_connections false").format(draft))
        site.admin.execute(sql.SQL("alter database {} rename to {}").format(draft, sql.Identifier(recipe.name)))
    except BaseException as error:
        with suppress(psycopg.Error):
            site.admin.execute(sql.SQL("alter database {} with is_template false").format(draft))
            site.drop(name)
        if not isinstance(error, psycopg.errors.DuplicateDatabase):
            raise


class Templates:
    """Knows the template of each kind that was asked for; a kind that failed is not tried again."""

    def __init__(self, site: Site, own: Kind) -> None:
        self.site = site
        self.own = own
        """The project's own kind."""
        self.names: dict[Kind, str] = {}
        self.failures: dict[Kind, TrueupError] = {}

    def know(self, lease: Lease) -> None:
        """Remember the template that a clone was made of."""
        self.names[replace(lease.kind, timezone=None)] = lease.template

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
