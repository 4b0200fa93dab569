"""The two databases that a command is given by name."""

from collections.abc import Iterator
from contextlib import contextmanager

from trueup.conninfo import ConnInfo
from trueup.servers import open_source
from trueup.settings import Settings
from trueup.verify.pair import Pair, open_pair

Databases = tuple[ConnInfo, ConnInfo]
Versions = tuple[str | None, str | None]
"""As the user chose them, for what has to be built."""


@contextmanager
def named_databases(source: str, target: str, versions: Versions, settings: Settings) -> Iterator[Databases]:
    """Give the connections of two databases; what was built for them ends with the context."""
    for_source, for_target = (int(version or 18) for version in versions)
    with (
        open_source(source, settings, version=for_source) as opened_source,
        open_source(target, settings, version=for_target) as opened_target,
    ):
        yield opened_source, opened_target


@contextmanager
def named_pair(source: str, target: str, versions: Versions) -> Iterator[Pair]:
    """Hold both databases still, as long as the context lasts."""
    with named_databases(source, target, versions, Settings.load()) as databases, open_pair(*databases) as pair:
        yield pair
