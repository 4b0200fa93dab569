"""Baselines that a server of our own has from when it was built: its first database needs none of its own.

Each is in a table of the administrative database, in the saved state of the server like the template that it is of.
"""

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from trueup.errors import TrueupError, Unverifiable
from trueup.testing import rewind
from trueup.testing.lending.leases import Lease, Site
from trueup.testing.lending.recipes import Recipe
from trueup.testing.marks import Kind
from trueup.testing.rewind.moments import Moment, read_moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from trueup.testing.rewind import Baseline

SCHEMA = "public"
LARGEST_BYTES = 1_000_000
"""A longer one is not kept: every start of the server would have to write it."""


def keep_baseline(site: Site, recipe: Recipe) -> None:
    """Keep the baseline of the clones of a template; where none can be taken, none is kept."""
    with suppress(TrueupError, psycopg.Error):
        lease = site.clone(recipe.name, Kind())
        try:
            with rewind.Baseline.take(lease.conninfo) as baseline:
                stored = baseline.store()
        finally:
            site.drop(lease.name)
        if len(stored) <= LARGEST_BYTES:
            with site.admin.transaction():
                site.admin.execute(sql.SQL("create table {} (stored bytea)").format(place_of(recipe.name)))
                site.admin.execute(sql.SQL("insert into {} values (%s)").format(place_of(recipe.name)), [stored])


def find_baseline(site: Site, lease: Lease) -> "Callable[[], Baseline] | None":
    """Return what gives the baseline that a new clone has right now, when it is needed; None: none is kept.

    Nobody may have changed anything on the server since it was started.
    """
    where = f"{SCHEMA}.{name_of(lease.template)}"
    if lease.kind.timezone or site.admin.execute("select to_regclass(%s)", [where]).fetchone() == (None,):
        return None
    return partial(recall, site, lease, read_moment(site.admin, lease.name))


def recall(site: Site, lease: Lease, moment: Moment) -> "Baseline":
    """Return the baseline that a clone had at a moment, and connect to it.

    Raises:
        TrueupError: nobody can connect to it.
        psycopg.Error: the table is gone.
    """
    found = site.admin.execute(sql.SQL("select stored from {}").format(place_of(lease.template))).fetchone()
    if found is None:
        raise Unverifiable(f"somebody has emptied {SCHEMA}.{name_of(lease.template)}")
    return rewind.Baseline.recall(lease.conninfo, found[0], moment)


def name_of(template: str) -> str:
    """Return the name of the table with the baseline of a template's clones."""
    return f"{template}_baseline"


def place_of(template: str) -> sql.Identifier:
    """Return the same for a statement."""
    return sql.Identifier(SCHEMA, name_of(template))
