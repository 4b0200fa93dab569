"""The one server of a run, and what has to be there before the first test: the mark, the run's lock, the template."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from trueup.conninfo import ConnInfo
from trueup.errors import MigrationFailed, UsageError
from trueup.servers import EmbeddedServer
from trueup.settings import Settings
from trueup.testing.identity import mark_server
from trueup.testing.lending.claims import claimed
from trueup.testing.lending.leases import open_site
from trueup.testing.lending.recipes import Recipe, read_recipe
from trueup.testing.lending.templates import ensure_template
from trueup.testing.marks import Kind
from trueup.testing.options import Options

CONFIGURATION = {"wal_recycle": "off"}
"""What was logged while a template was built does not become part of the saved state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Is the server of a run as every process of the run has to know it."""

    conninfo: ConnInfo
    """Its administrative database, from which others are created."""
    run: str
    """The id of the run, part of the names of its databases."""
    is_embedded: bool
    """Whether the run started it: then it ends with the run, and all that is on it."""


@contextmanager
def started(options: Options, settings: Settings, run: str) -> Iterator[Host]:
    """Give the server that the options name; one that is started for it ends with the context.

    Raises:
        ServerUnavailable: it can't be started.
        ConnectionFailed: a provided one can't be reached.
    """
    if options.embedded_version is None:
        host = Host(conninfo=ConnInfo.parse(options.server), run=run, is_embedded=False)
        with claimed(host.conninfo, run):
            yield host
        return
    recipe = default_recipe(options, settings)
    with stocked(options.embedded_version, settings, recipe, run) as server:
        yield Host(conninfo=server.conninfo(), run=run, is_embedded=True)


def default_recipe(options: Options, settings: Settings) -> Recipe | None:
    """Return what the project's own template is built from; None: it can't be read, as the first test will tell."""
    with suppress(UsageError, MigrationFailed):
        return read_recipe(own_kind(options, settings))
    return None


def own_kind(options: Options, settings: Settings) -> Kind:
    """Return the kind of database that a test gets which says nothing else."""
    return Kind(schema=options.schema or settings.schema, seed=options.seed)


class OwnServer(EmbeddedServer):
    """Is an embedded server that has a template of the project."""

    template = "template1"
    """The name of the template."""

    def clone(self, name: str = "app") -> ConnInfo:
        """Create a database as a copy of the template."""
        return self.create_database(name, template=self.template)


@contextmanager
def stocked(version: int, settings: Settings, recipe: Recipe | None, run: str) -> Iterator[OwnServer]:
    """Give a server of our own that has the template: from the cache, or built and kept there for the next one."""
    saved = f"tests-{recipe.digest[:16]}" if recipe else ""
    with OwnServer(version, cache_folder=settings.cache_folder, configuration=CONFIGURATION, saved=saved) as server:
        if not server.is_restored:
            prepare(server, recipe, run)
        if recipe:
            server.template = recipe.name
        yield server


def prepare(server: OwnServer, recipe: Recipe | None, run: str) -> None:
    """Mark the server as the tests' own, build the template and keep both; a template that fails is left out."""
    site = open_site(server.conninfo(), run=run, worker="host", is_embedded=True)
    try:
        mark_server(site.admin)
        if recipe is None:
            return
        ensure_template(site, recipe)
    except (UsageError, MigrationFailed):
        return
    finally:
        site.close()
    server.save()
