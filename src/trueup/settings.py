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

from platformdirs import site_cache_path, user_cache_path

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
    password = variables.get("POSTGRES_PASSWORD")
    return ConnInfo(MappingProxyType(parameters), MappingProxyType({"password": Secret(password)} if password else {}))


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
