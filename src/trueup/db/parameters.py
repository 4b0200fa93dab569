"""What the runtime adds to a connection string where it says nothing."""

import os
from collections.abc import Mapping
from ipaddress import ip_address

from psycopg import pq
from psycopg.conninfo import make_conninfo

from trueup.conninfo import ConnInfo
from trueup.settings import DatabaseSettings


def parameters(settings: DatabaseSettings) -> ConnInfo:
    """Return the connection string with the defaults of the runtime where it says nothing.

    TLS is verified in full off loopback, unless the string, its service or PGSSLMODE choose otherwise. The timeouts
    travel with the login, so that they cost no round trip and are what a reset goes back to; a pooler can't keep them,
    so there each transaction sets them.
    """
    given = settings.conninfo.parameters
    whole = {
        "application_name": f"{settings.service}:{os.getpid()}",
        "connect_timeout": str(max(1, round(settings.connect_timeout_s))),
        **network_defaults(settings.network_timeout_s),
        **tls_default(settings.conninfo),
        **given,
    }
    if not settings.pooler:
        limits = " ".join(f"-c {name}={value}" for name, value in timeouts(settings).items())
        whole["options"] = f"{limits} {given.get('options', '')}".strip()
    return settings.conninfo.with_parameters(**whole)


def timeouts(settings: DatabaseSettings) -> dict[str, int]:
    """Return the server's timeouts, in milliseconds, that every supported version knows."""
    return {
        "statement_timeout": round(settings.statement_timeout_s * 1000),
        "lock_timeout": round(settings.lock_timeout_s * 1000),
        "idle_in_transaction_session_timeout": round(settings.idle_in_transaction_timeout_s * 1000),
    }


def network_defaults(limit_s: float) -> dict[str, str]:
    """Return keepalives for a silent peer and a user timeout for unacknowledged data: either alone leaves a hole."""
    return {
        "keepalives_idle": str(max(1, round(limit_s / 2))),
        "keepalives_interval": str(max(1, round(limit_s / 4))),
        "keepalives_count": "2",
        "tcp_user_timeout": str(round(limit_s * 1000)),
    }


def tls_default(conninfo: ConnInfo) -> dict[str, str]:
    """Return the `sslmode` for a connection that is left without one, by a choice of its user, off loopback."""
    if "sslmode" in conninfo.parameters:
        return {}
    meant = resolve(conninfo)
    if meant is None:
        return {"sslmode": "verify-full"}
    is_chosen = meant.get("sslmode", NO_CHOICE) != NO_CHOICE
    return {"sslmode": "verify-full"} if is_remote(meant) and not is_chosen else {}


NO_CHOICE = "prefer"
"""The mode of libpq where nobody names one; it verifies nothing."""


def resolve(conninfo: ConnInfo) -> Mapping[str, str] | None:
    """Return what libpq adds to a connection string from its service and the environment; None if it can't be known.

    Nothing is sent: libpq reads all of it before it refuses `target_session_attrs`.

    Source: PostgreSQL source, src/interfaces/libpq/fe-connect.c, pqConnectOptions2().
    """
    text = make_conninfo("", **{**conninfo.parameters, "target_session_attrs": "none"})
    login = pq.PGconn.connect_start(text.encode())
    try:
        found = {option.keyword.decode(): option.val.decode() for option in login.info if option.val}
    finally:
        login.finish()
    return found if "port" in found else None


def is_remote(given: Mapping[str, str]) -> bool:
    """Return whether a host is named that is neither loopback nor a socket folder."""
    named = given.get("hostaddr") or given.get("host", "")
    return any(not is_loopback(host) for host in named.split(",") if host)


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine by its mere name."""
    if host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
