"""A server of a run, and what has to be there before the first test: the mark, the run's lock, the template.

One that is in the cache is started without the driver, which is imported meanwhile.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from trueup.conninfo import ConnInfo
from trueup.errors import MigrationFailed, UsageError
from trueup.servers.embedded import EmbeddedServer
from trueup.settings import Settings
from trueup.testing.lending.recipes import Recipe, read_recipe
from trueup.testing.marks import Kind
from trueup.testing.options import Options, Server

CONFIGURATION = MappingProxyType({"wal_recycle": "off"})
"""What was logged while a template was built does not become part of the saved state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Is a server of a run as every process of the run has to know it."""

    conninfo: ConnInfo
    """Its administrative database, from which others are created."""
    run: str
    """The id of the run, part of the names of its databases."""
    is_embedded: bool
    """Whether the run started it: then it ends with the run, and all that is on it."""


@contextmanager
def started(server: Server, options: Options, settings: Settings, run: str) -> Iterator[Host]:
    """Give a server of the run; one that is started for it ends with the context.

    Raises:
        ServerUnavailable: it can't be started.
        ConnectionFailed: a provided one can't be reached.
    """
    if server.embedded_version is None:
        from trueup.testing.lending.claims import claimed  # noqa: PLC0415  See above.

        host = Host(conninfo=ConnInfo.parse(server.text), run=run, is_embedded=False)
        with claimed(host.conninfo, run):
            yield host
        return
    recipe = default_recipe(options, settings)
    with stocked(server.embedded_version, settings, recipe, run) as own:
        yield Host(conninfo=own.conninfo(), run=run, is_embedded=True)


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

    @cached_property
    def empty(self) -> list[ConnInfo]:
        """The databases that were emptied."""
        return []

    def clone(self, name: str = "app") -> ConnInfo:
        """Create a database as a copy of the template."""
        return self.create_database(name, template=self.template)

    @contextmanager
    def emptied(self) -> Iterator[ConnInfo]:
        """Give a database with nothing in it, which is emptied for whoever asks next: a third of a new one's cost."""
        from trueup.testing.lending.emptying import lent  # noqa: PLC0415  See above.

        with lent(self, self.empty) as conninfo:
            yield conninfo


@contextmanager
def stocked(
    version: int,
    settings: Settings,
    recipe: Recipe | None,
    run: str,
    *,
    tcp: bool = False,
    configuration: Mapping[str, str] = CONFIGURATION,
) -> Iterator[OwnServer]:
    """Give a server of our own that has the template: from the cache, or built and kept there for the next one.

    What a `configuration` says goes before ours.
    """
    saved = f"tests-{recipe.digest[:16]}" if recipe else ""
    whole = {**CONFIGURATION, **configuration}
    with OwnServer(version, cache_folder=settings.cache_folder, tcp=tcp, configuration=whole, saved=saved) as server:
        if not server.is_restored:
            from trueup.testing.lending.stocking import prepare  # noqa: PLC0415  See above.

            prepare(server, recipe, run)
        if recipe:
            server.template = recipe.name
        yield server
