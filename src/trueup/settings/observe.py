"""Whether failures are reported, and where to, read from the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from platformdirs import user_state_path

from trueup.conninfo import Secret
from trueup.errors import UsageError
from trueup.settings.values import read_number


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserveSettings:
    """Is whether failures are reported, where to, and as whose."""

    dsn: Secret | None = None
    """The address of a server that speaks Sentry's protocol, with its key; None: nothing is reported."""
    is_enabled: bool = True
    environment: str = "development"
    release: str | None = None
    """The commit that runs; None: it is read from the checkout that holds `folder`."""
    folder: Path = field(default_factory=Path.cwd)
    spool_folder: Path = field(default_factory=lambda: default_state_folder() / "events")
    """Where events wait until a server has taken them; they outlive the process."""
    traces_share: float = 0.1
    """The share of operations whose durations are sent."""

    @classmethod
    def from_env(cls, variables: Mapping[str, str] = os.environ) -> Self:
        """Read SENTRY_DSN, SENTRY_ENABLED, SENTRY_ENVIRONMENT, SENTRY_RELEASE, SENTRY_TRACES_SAMPLE_RATE.

        Raises:
            UsageError: a value can't be read; a DSN is not repeated, because it holds a key.
        """
        given: dict[str, Any] = {
            name: variables[variable]
            for variable, name in {"SENTRY_ENVIRONMENT": "environment", "SENTRY_RELEASE": "release"}.items()
            if variables.get(variable)
        }
        if text := variables.get("SENTRY_DSN", "").strip():
            given["dsn"] = check_dsn(text)
        if flag := variables.get("SENTRY_ENABLED"):
            given["is_enabled"] = read_number("SENTRY_ENABLED", flag, scale="flag")
        if share := variables.get("SENTRY_TRACES_SAMPLE_RATE", "").strip():
            zero = re.fullmatch(r"0(\.0+)?", share)
            given["traces_share"] = 0.0 if zero else read_number("SENTRY_TRACES_SAMPLE_RATE", share, scale="share")
        if state_folder := variables.get("TRUEUP_STATE_DIR"):
            given["spool_folder"] = Path(state_folder).absolute() / "events"
        return cls(**given)


def check_dsn(text: str) -> Secret:
    """Return a DSN that has all its parts.

    Raises:
        UsageError: it is none; its text is not shown.
    """
    try:
        parts = urlsplit(text)
        project = parts.path.rpartition("/")[2]
        is_whole = parts.scheme in {"http", "https"} and parts.hostname and parts.username and project.isdecimal()
        is_whole = is_whole and (parts.port is None or parts.port > 0)
    except ValueError:
        is_whole = False
    if not is_whole:
        raise UsageError(
            "SENTRY_DSN is not a DSN (its text is not shown, it holds a key): expected https://KEY@HOST/PROJECT with"
            " the project's number; leave it empty to report nothing"
        )
    return Secret(text)


def default_state_folder() -> Path:
    """Return the user's folder for what must outlive a process and can't be made again."""
    return user_state_path("trueup")
