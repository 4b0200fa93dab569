"""All that the user has configured.

What is asked for seldom is imported when it is: a run of tests waits for this.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from trueup.errors import UsageError
from trueup.settings.configuration import (
    Alerts,
    Configuration,
    Conversion,
    Ignored,
    Profile,
    Relation,
    Service,
    find_configuration,
    read_configuration,
)

if TYPE_CHECKING:
    from trueup.settings.database import DatabaseSettings
    from trueup.settings.github import GitHubSettings
    from trueup.settings.observe import ObserveSettings

TOKEN_LENGTH = 16
"""The fewest characters of a token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Is what the user has configured, read once where a command starts."""

    cache_folder: Path
    """Where data directories, templates and other things that can be made again are kept."""
    schema: Path | None = None
    """The folder of migrations that the name `embedded` stands for; None: none is declared."""
    contracts: tuple[str, ...] = ()
    """Where the table contracts are: `package.module:name`."""
    checks: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """The project's own checks by their names: `package.module:function`."""
    services: tuple[Service, ...] = ()
    """Who holds connections."""
    host_profile: str | None = None
    """The name of what structures are compared without; None: nothing."""
    host_profiles: Mapping[str, Ignored] = field(default_factory=lambda: MappingProxyType({}))
    """Profiles of the project's own hosts, by their names."""
    conversions: tuple[Conversion, ...] = ()
    """Which columns of two databases are compared though their names, types or meanings differ."""
    recheck: float | None = None
    """After how many seconds rows that differ are read again; None: they are not."""
    relations: tuple[Relation, ...] = ()
    """Which columns point to which, where no foreign key says so."""
    live: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Where the live databases are that tests may be pointed at: `env:NAME` or `service=NAME`, by their names."""
    profiles: Mapping[str, Profile] = field(default_factory=lambda: MappingProxyType({}))
    """Which checks a run makes, by the profile's name."""
    alerts: Alerts = field(default_factory=Alerts)
    """Where it is told that a run no longer passes."""
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """The environment, for names of the form `env:NAME`."""

    @classmethod
    def load(cls, folder: Path | None = None, variables: Mapping[str, str] = os.environ) -> Self:
        """Read the environment, and the configuration in `folder` or the nearest folder above it that has one.

        Raises:
            UsageError: the file is not TOML, or a key is unknown or of the wrong type.
        """
        found = find_configuration(folder or Path.cwd())
        configuration = read_configuration(found) if found else Configuration()
        cache_folder = variables.get("TRUEUP_CACHE_DIR")
        return cls(
            cache_folder=Path(cache_folder).absolute() if cache_folder else default_cache_folder(),
            schema=found.parent / configuration.schema if found and configuration.schema else None,
            contracts=configuration.contracts,
            checks=MappingProxyType(configuration.checks),
            services=configuration.services,
            conversions=configuration.conversions,
            recheck=configuration.recheck,
            relations=configuration.relations,
            host_profile=configuration.host_profile,
            host_profiles=MappingProxyType(configuration.host_profiles),
            live=MappingProxyType(configuration.live),
            profiles=MappingProxyType(configuration.profiles),
            alerts=configuration.alerts,
            variables=MappingProxyType(dict(variables)),
        )

    @property
    def database(self) -> "DatabaseSettings":
        """How this service talks to its database.

        Raises:
            UsageError: the environment names no database, or a value can't be read.
        """
        from trueup.settings.database import DatabaseSettings  # noqa: PLC0415

        return DatabaseSettings.from_env(self.variables)

    @property
    def health_token(self) -> str | None:
        """Who bears it sees the details of health; None: nobody does.

        Raises:
            UsageError: TRUEUP_HEALTH_TOKEN could be guessed.
        """
        token = self.variables.get("TRUEUP_HEALTH_TOKEN") or None
        if token is not None and len(token) < TOKEN_LENGTH:
            raise UsageError(f"TRUEUP_HEALTH_TOKEN has less than {TOKEN_LENGTH} characters: take a longer one")
        return token

    @property
    def observe(self) -> "ObserveSettings":
        """Whether failures are reported, and where to.

        Raises:
            UsageError: a SENTRY_* variable can't be read.
        """
        from trueup.settings.observe import ObserveSettings  # noqa: PLC0415

        return ObserveSettings.from_env(self.variables)

    @property
    def github(self) -> "GitHubSettings":
        """Whether this runs in a workflow of GitHub."""
        from trueup.settings.github import GitHubSettings  # noqa: PLC0415

        return GitHubSettings.from_env(self.variables)

    @property
    def state_folder(self) -> Path:
        """Where is kept what must outlive a process and can't be made again."""
        from trueup.settings.observe import default_state_folder  # noqa: PLC0415

        named = self.variables.get("TRUEUP_STATE_DIR")
        return Path(named).absolute() if named else default_state_folder()


def default_cache_folder() -> Path:
    """Return the user's cache folder; for root the site's, which the unprivileged owner of a server can enter."""
    from platformdirs import site_cache_path, user_cache_path  # noqa: PLC0415

    if os.geteuid() == 0:
        return site_cache_path("trueup")
    return user_cache_path("trueup")
