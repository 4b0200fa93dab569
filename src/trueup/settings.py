"""The only reader of the environment and of the configuration file.

Order: a flag of the command > a TRUEUP_* variable > the configuration file > the default. libpq reads its own PG*
variables when a connection string leaves something out. DATABASE_URL is read only by its name: `env:DATABASE_URL`.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import urlsplit

from platformdirs import site_cache_path, user_cache_path, user_state_path

from trueup.conninfo import ConnInfo, Secret
from trueup.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """Is how one service talks to its database."""

    conninfo: ConnInfo
    service: str = "trueup"
    """What pg_stat_activity shows, followed by the process id."""
    max_connections: int = 3
    checkout_timeout_s: float = 10
    """How long a caller waits for a connection, the login of a new one included."""
    connect_timeout_s: float = 10
    """How long one attempt to log in may take."""
    idle_timeout_s: float = 30
    """How long a connection that nobody uses stays open."""
    max_lifetime_s: float = 3600
    """How long a connection is used at all; up to a tenth less, so that they don't all end at once."""
    check_after_s: float = 1
    """A connection that was idle for longer is asked for a sign of life before it is given out."""
    statement_timeout_s: float = 60
    lock_timeout_s: float = 30
    idle_in_transaction_timeout_s: float = 60
    transaction_timeout_s: float = 300
    """Is enforced by PostgreSQL 17 and later."""
    network_timeout_s: float = 20
    """After how long without an answer of the peer's kernel a connection counts as dead."""
    long_hold_s: float = 30
    """A connection that is held for longer is reported, with the stack of its checkout."""
    usage_warning: float = 0.8
    """The share of `max_connections` in use above which it is reported."""
    pooler: bool = False
    """Whether a pooler in transaction mode stands between: no state of a session is relied on."""

    @classmethod
    def from_env(cls, variables: Mapping[str, str] = os.environ) -> Self:
        """Read TRUEUP_DATABASE (a connection string) or POSTGRES_HOST and its like, and the POSTGRES_* limits.

        A time without a unit is in milliseconds, as in PostgreSQL: `30000`, `30s`, `10min`, `1h`.

        Raises:
            UsageError: no database is named, or a value can't be read.
        """
        limits: dict[str, Any] = {
            name: read_number(variable, variables[variable], scale=scale)
            for variable, (name, scale) in LIMITS.items()
            if variables.get(variable)
        }
        if service := variables.get("TRUEUP_SERVICE"):
            limits["service"] = service
        return cls(conninfo=read_conninfo(variables), **limits)


LIMITS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "POSTGRES_MAX_CONNECTIONS": ("max_connections", "count"),
        "POSTGRES_CONNECTION_TIMEOUT": ("checkout_timeout_s", "time"),
        "POSTGRES_CONNECT_TIMEOUT": ("connect_timeout_s", "time"),
        "POSTGRES_IDLE_TIMEOUT": ("idle_timeout_s", "time"),
        "POSTGRES_MAX_LIFETIME": ("max_lifetime_s", "time"),
        "POSTGRES_STATEMENT_TIMEOUT": ("statement_timeout_s", "time"),
        "POSTGRES_LOCK_TIMEOUT": ("lock_timeout_s", "time"),
        "POSTGRES_IDLE_IN_TRANSACTION_TIMEOUT": ("idle_in_transaction_timeout_s", "time"),
        "POSTGRES_TRANSACTION_TIMEOUT": ("transaction_timeout_s", "time"),
        "DB_POOL_USAGE_THRESHOLD": ("usage_warning", "share"),
        "POSTGRES_POOLER": ("pooler", "flag"),
    }
)
UNITS = MappingProxyType({"": 0.001, "ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0})
FLAGS = MappingProxyType({"true": True, "false": False})


def read_number(name: str, text: str, *, scale: str) -> float | int | bool:
    """Return the value of a limit: a count, a share of 1, a flag, or a time in seconds.

    Raises:
        UsageError: with the variable's name.
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?(ms|s|min|h|)", text.strip())
    if scale == "flag" and text.strip().lower() in FLAGS:
        return FLAGS[text.strip().lower()]
    if scale == "time" and found and float(found[1]) > 0:
        return float(found[1]) * UNITS[found[2]]
    if scale == "count" and text.strip().isdecimal() and int(text) > 0:
        return int(text)
    if scale == "share" and found and not found[2] and 0 < float(found[1]) <= 1:
        return float(found[1])
    raise UsageError(f"{name}={text!r} is not {SCALES[scale]}")


SCALES = MappingProxyType(
    {
        "count": "a whole number from 1",
        "time": "a time above 0, such as 30000 (milliseconds), 30s, 10min or 1h",
        "share": "a share above 0, up to 1",
        "flag": "true or false",
    }
)


def read_conninfo(variables: Mapping[str, str]) -> ConnInfo:
    """Return the database that the environment names.

    Raises:
        UsageError: it names none, or POSTGRES_SSL is neither true nor false.
    """
    if text := variables.get("TRUEUP_DATABASE"):
        return ConnInfo.parse(text)
    names = {"host": "HOST", "port": "PORT", "dbname": "DATABASE", "user": "USER"}
    parameters = {
        key: variables[f"POSTGRES_{name}"] for key, name in names.items() if variables.get(f"POSTGRES_{name}")
    }
    if not parameters.keys() & {"host", "dbname"} and not variables.keys() & {"PGHOST", "PGDATABASE", "PGSERVICE"}:
        raise UsageError(
            "no database is named: set TRUEUP_DATABASE to a connection string, or POSTGRES_HOST, POSTGRES_DATABASE,"
            " POSTGRES_USER and POSTGRES_PASSWORD"
        )
    if encrypt := variables.get("POSTGRES_SSL"):
        verified = read_number("POSTGRES_SSL", encrypt, scale="flag")
        parameters["sslmode"] = "verify-full" if verified else "disable"
    elif chosen := variables.get("PGSSLMODE"):
        parameters["sslmode"] = chosen
    password = variables.get("POSTGRES_PASSWORD")
    return ConnInfo(MappingProxyType(parameters), MappingProxyType({"password": Secret(password)} if password else {}))


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

    @property
    def database(self) -> DatabaseSettings:
        """How this service talks to its database.

        Raises:
            UsageError: the environment names no database, or a value can't be read.
        """
        return DatabaseSettings.from_env(self.variables)

    @property
    def observe(self) -> ObserveSettings:
        """Whether failures are reported, and where to.

        Raises:
            UsageError: a SENTRY_* variable can't be read.
        """
        return ObserveSettings.from_env(self.variables)


def default_state_folder() -> Path:
    """Return the user's folder for what must outlive a process and can't be made again."""
    return user_state_path("trueup")


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
