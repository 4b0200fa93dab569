"""What a server of our own is given when the cache has none like it."""

from trueup.db import connect
from trueup.errors import MigrationFailed, UsageError
from trueup.servers.embedded import EmbeddedServer
from trueup.testing.identity import mark_server
from trueup.testing.lending.baselines import keep_baseline
from trueup.testing.lending.leases import open_site
from trueup.testing.lending.recipes import Recipe
from trueup.testing.lending.templates import ensure_template


def prepare(server: EmbeddedServer, recipe: Recipe | None, run: str) -> None:
    """Mark the server as the tests' own, build the template and keep both; a template that fails is left out."""
    site = open_site(server.conninfo(), run=run, worker="host", is_embedded=True)
    try:
        mark_server(site.admin)
        if recipe is None:
            return
        ensure_template(site, recipe)
        keep_baseline(site, recipe)
    except (UsageError, MigrationFailed):
        return
    finally:
        site.close()
    connect(server.conninfo()).close()  # As in `templates.build`.
    server.save()
