"""The only reader of the environment and of the configuration file.

Order: a flag of the command > a TRUEUP_* variable > the configuration file > the default. libpq reads its own PG*
variables when a connection string leaves something out. DATABASE_URL is read only by its name: `env:DATABASE_URL`.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from platformdirs import site_cache_path, user_cache_path

from trueup.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Is what the user has configured, read once where a command starts."""

    cache_folder: Path
    """Where data directories, templates and other things that can be made again are kept."""
    schema: Path | None = None
    """The folder of migrations that the name `embedded` stands for; None: none is declared."""
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """The environment, for names of the form `env:NAME`."""

    @classmethod
    def load(cls, folder: Path | None = None, variables: Mapping[str, str] = os.environ) -> Self:
        """Read the environment, and the configuration in `folder` or the nearest folder above it that has one.

        Raises:
            UsageError: the file is not TOML, or a key is unknown or of the wrong type.
        """
        found = find_configuration(folder or Path.cwd())
        table = read_configuration(found) if found else {}
        cache_folder = variables.get("TRUEUP_CACHE_DIR")
        return cls(
            cache_folder=Path(cache_folder).absolute() if cache_folder else default_cache_folder(),
            schema=found.parent / table["schema"] if found and "schema" in table else None,
            variables=MappingProxyType(dict(variables)),
        )


def default_cache_folder() -> Path:
    """Return the user's cache folder; for root the site's, which the unprivileged owner of a server can enter."""
    if os.geteuid() == 0:
        return site_cache_path("trueup")
    return user_cache_path("trueup")


def find_configuration(folder: Path) -> Path | None:
    """Return the nearest `trueup.toml`, or `pyproject.toml` with a [tool.trueup] table, at or above `folder`."""
    for place in (folder.absolute(), *folder.absolute().parents):
        if (own := place / "trueup.toml").is_file():
            return own
        if (shared := place / "pyproject.toml").is_file() and "trueup" in parse_toml(shared).get("tool", {}):
            return shared
    return None


KEYS: Mapping[str, type] = MappingProxyType({"schema": str})


def read_configuration(file: Path) -> dict[str, Any]:
    """Return the table of trueup in a configuration file, each key known and of its type."""
    whole = parse_toml(file)
    table: dict[str, Any] = whole if file.name == "trueup.toml" else whole["tool"]["trueup"]
    for key, value in table.items():
        if key not in KEYS:
            raise UsageError(f"{file}: unknown key {key!r} for trueup; known: {', '.join(sorted(KEYS))}")
        if not isinstance(value, KEYS[key]):
            raise UsageError(f"{file}: {key} must be a {KEYS[key].__name__}, not {type(value).__name__}")
    return table


def parse_toml(file: Path) -> dict[str, Any]:
    """Return the content of a TOML file."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: not readable as TOML: {error}") from None
