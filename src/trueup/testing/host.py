"""The one server of a run: started when a test first needs it, by the process that all others depend on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from trueup.conninfo import ConnInfo
from trueup.servers import EmbeddedServer
from trueup.settings import Settings
from trueup.testing.options import Options


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
    """
    version = options.embedded_version
    if version is None:
        yield Host(conninfo=ConnInfo.parse(options.server), run=run, is_embedded=False)
        return
    with EmbeddedServer(version, cache_folder=settings.cache_folder) as server:
        yield Host(conninfo=server.conninfo(), run=run, is_embedded=True)
