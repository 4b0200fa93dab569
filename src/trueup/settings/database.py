"""How one service talks to its database, read from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

from trueup.conninfo import ConnInfo, Secret
from trueup.errors import UsageError
from trueup.settings.values import read_number


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
        "POSTGRES_NETWORK_TIMEOUT": ("network_timeout_s", "time"),
        "POSTGRES_CHECK_AFTER": ("check_after_s", "time"),
        "POSTGRES_LONG_HOLD": ("long_hold_s", "time"),
        "DB_POOL_USAGE_THRESHOLD": ("usage_warning", "share"),
        "POSTGRES_POOLER": ("pooler", "flag"),
    }
)
"""The variables of the pool: the setting of each, and how its number is read."""


def read_conninfo(variables: Mapping[str, str]) -> ConnInfo:
    """Return the database that the environment names.

    Raises:
        UsageError: it names none, or POSTGRES_SSL is neither true nor false.
    """
    if text := variables.get("TRUEUP_DATABASE"):
        return with_tls_choice(ConnInfo.parse(text), variables)
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
    secrets = {"password": Secret(password)} if password else {}
    return with_tls_choice(ConnInfo(MappingProxyType(parameters), MappingProxyType(secrets)), variables)


def with_tls_choice(conninfo: ConnInfo, variables: Mapping[str, str]) -> ConnInfo:
    """Return the connection with the `sslmode` of PGSSLMODE, unless it names one or may have one from its service."""
    chosen = variables.get("PGSSLMODE")
    if not chosen or conninfo.parameters.keys() & {"sslmode", "service"} or variables.get("PGSERVICE"):
        return conninfo
    return conninfo.with_parameters(sslmode=chosen)
