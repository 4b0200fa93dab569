"""The two databases that a command is given by name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import asdict

from trueup.cli.options import Versions
from trueup.conninfo import ConnInfo
from trueup.db.together import together
from trueup.errors import Refused, UsageError
from trueup.parity.schema import PROFILES, Profile, read_structure, row_catalog
from trueup.servers import open_source
from trueup.servers.source import CONNINFO, EMBEDDED
from trueup.settings import Settings
from trueup.verify.pair import Pair, open_pair
from trueup.verify.structure_pair import Named, StructurePair, open_structure_pair

Databases = tuple[ConnInfo, ConnInfo]
NO_PROFILE = "none"


@contextmanager
def named_databases(source: str, target: str, versions: Versions, settings: Settings) -> Iterator[Databases]:
    """Give the connections of two databases; what was built for them ends with the context."""
    refuse_same(source, target, versions, settings)
    for_source, for_target = (version or 18 for version in versions)
    with together(
        open_source(source, settings, version=for_source), open_source(target, settings, version=for_target)
    ) as opened:
        yield opened


def refuse_same(source: str, target: str, versions: Versions, settings: Settings) -> None:
    """Refuse to build the same twice, unless it is on two versions.

    Raises:
        Refused: both names stand for the same files, and are built on the same version.
    """
    mine, theirs = (built_from(name, each, settings) for name, each in zip((source, target), versions, strict=True))
    if mine and mine == theirs:
        raise Refused(
            f"source and target are both built from {target}: it equals itself, so that comparing would prove nothing;"
            " name two, or build it on two versions by --source-version and --target-version"
        )


def built_from(name: str, version: int | None, settings: Settings) -> tuple[Path, int] | None:
    """Return the file or folder that a name is built from, and on which version; None where nothing is built."""
    version = version or 18
    if found := EMBEDDED.fullmatch(name):
        return (settings.schema.resolve(), int(found[1] or version)) if settings.schema else None
    if not name or CONNINFO.match(name) or name.lower().endswith(".json"):
        return None
    try:
        return Path(name).expanduser().resolve(strict=True), version
    except (OSError, RuntimeError, ValueError):
        return None


@contextmanager
def named_pair(source: str, target: str, versions: Versions) -> Iterator[Pair]:
    """Hold both databases still, to look at their rows; without what the configured profile names."""
    settings = Settings.load()
    profile = named_profile(None, settings)
    with (
        named_databases(source, target, versions, settings) as databases,
        open_pair(*databases, profile=profile, read=row_catalog) as pair,
    ):
        yield pair


@contextmanager
def named_structure_pair(source: str, target: str, versions: Versions, profile: str | None) -> Iterator[StructurePair]:
    """Hold both databases still, as long as the context lasts; either may be a file that keeps a structure."""
    settings = Settings.load()
    found = named_profile(profile, settings)
    refuse_same(source, target, versions, settings)
    for_source, for_target = (version or 18 for version in versions)
    with (
        together(
            named_structure(source, for_source, settings), named_structure(target, for_target, settings)
        ) as opened,
        open_structure_pair(*opened, profile=found) as pair,
    ):
        yield pair


@contextmanager
def named_structure(name: str, version: int, settings: Settings) -> Iterator[Named]:
    """Give what a name stands for: a connection, or the structure that a file keeps."""
    if Path(name).suffix.lower() == ".json" and Path(name).is_file():
        yield read_structure(Path(name))
    else:
        with open_source(name, settings, version=version) as opened:
            yield opened


def named_profile(name: str | None, settings: Settings) -> Profile | None:
    """Return the profile of that name, or else the one that is configured; `none` stands for none.

    Raises:
        UsageError: there is no profile of that name.
    """
    chosen = name or settings.host_profile
    if chosen is None or chosen == NO_PROFILE:
        return None
    if chosen in settings.host_profiles:
        return Profile(label=f"profile {chosen}", **asdict(settings.host_profiles[chosen]))
    if chosen not in PROFILES:
        known = ", ".join(sorted({*PROFILES, *settings.host_profiles, NO_PROFILE}))
        raise UsageError(
            f"no profile is named {chosen}; known: {known}; declare your own under [tool.trueup.host_profiles.{chosen}]"
        )
    return PROFILES[chosen]
