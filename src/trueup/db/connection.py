"""One connection, and what its failures are called."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors as server_errors

from trueup.conninfo import ConnInfo
from trueup.errors import ConnectionFailed, Disconnected, PermissionMissing, RowsHidden, TooManyConnections

Connection = psycopg.Connection[tuple[Any, ...]]

CONNECT_TIMEOUT_S = 10

NO_SLOT = "the server, the database or the role allows no further connection: try later, or see trueup budget"
CHECK_TLS = "check sslmode, sslrootcert and the server's certificate"
FINAL = (
    (r"password authentication failed|no password supplied|SCRAM", "check the user and the password"),
    (r'database ".*" does not exist|no such database', "check the name of the database"),
    (r'role ".*" does not exist|no such user', "check the name of the user"),
    (r"no pg_hba\.conf entry", "the server does not let this user in from this address: ask its administrator"),
    (r"certificate|does not support SSL|sslmode", CHECK_TLS),
)
"""What a refusal says when another attempt can't help, and what to check."""
PASSING = (
    (r"too many (clients|connections)|remaining connection slots", NO_SLOT),
    (r"could not translate host name|resolve|Name or service", "check the name of the host"),
    (r"refused|No such file or directory", "check the host and the port, and that the server is running"),
    (r"timeout expired|timed out|No route to host|unreachable", "check the host, the port, and the network between"),
    (r"SSL|TLS", CHECK_TLS),
    (r"starting up|shutting down|recovery", "the server is not ready: try again in a moment"),
)
"""The same for what may be over in a moment."""


def connect(conninfo: ConnInfo, *, application_name: str = "trueup") -> Connection:
    """Open a connection in autocommit mode.

    Raises:
        ConnectionFailed: with the server's address, its reason and what to check; never with a password.
    """
    defaults = {"connect_timeout": str(CONNECT_TIMEOUT_S), "application_name": application_name}
    whole = conninfo.with_parameters(**{k: v for k, v in defaults.items() if k not in conninfo.parameters})
    try:
        return psycopg.connect(whole.reveal(), autocommit=True)
    except psycopg.Error as error:
        reason = str(error)
    # Outside the except block: the driver's exception, whose text may hold the password, is not even the context.
    raise refusal(conninfo, reason)


def refusal(conninfo: ConnInfo, reason: str) -> ConnectionFailed:
    """Return the error for a failed login; libpq tells no SQLSTATE here, so the reason's text has to do."""
    reason = conninfo.hide_secrets(reason).strip()
    is_final = any(re.search(pattern, reason) for pattern, _ in FINAL)
    advice = next(
        (text for pattern, text in FINAL + PASSING if re.search(pattern, reason)), "check the connection string"
    )
    message = f"cannot connect to {conninfo}: {reason}; {advice}"
    if advice is NO_SLOT:
        return TooManyConnections(message, sqlstate="53300")
    return ConnectionFailed(message, is_final=is_final)


@contextmanager
def named_errors(conninfo: ConnInfo) -> Iterator[None]:
    """Give the driver's errors about reading their names: RowsHidden, PermissionMissing, Disconnected."""
    try:
        yield
    except server_errors.InsufficientPrivilege as error:
        message = error.diag.message_primary or "insufficient privilege"
        if "row-level security" in message:
            raise RowsHidden(
                f"{message} ({conninfo}): the role would see only some of the rows; use the owner of the table or"
                " a role with BYPASSRLS"
            ) from error
        raise PermissionMissing(
            f"{message} ({conninfo}): grant SELECT on it, and USAGE on its schema", sqlstate=error.sqlstate
        ) from error
    except psycopg.OperationalError as error:
        if error.sqlstate is None or error.sqlstate[:3] in {"57P", "080", "25P"}:
            reason = conninfo.hide_secrets(error.diag.message_primary or str(error)).strip()
            raise Disconnected(f"the connection to {conninfo} was lost: {reason}", sqlstate=error.sqlstate) from None
        raise
