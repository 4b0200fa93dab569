"""One connection, and what its failures are called."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors as server_errors

from trueup.conninfo import ConnInfo
from trueup.db.parameters import network_defaults
from trueup.db.refusals import refused
from trueup.errors import Disconnected, PermissionMissing, RowsHidden

Connection = psycopg.Connection[tuple[Any, ...]]

CONNECT_TIMEOUT_S = 10
NETWORK_TIMEOUT_S = 20.0
"""After so long without a sign of the server's machine the connection counts as lost."""


def connect(conninfo: ConnInfo, *, application_name: str = "trueup") -> Connection:
    """Open a connection in autocommit mode.

    Raises:
        ConnectionFailed: with the server's address, its reason and what to check; never with a password.
    """
    defaults = {
        "connect_timeout": str(CONNECT_TIMEOUT_S),
        "application_name": application_name,
        **network_defaults(NETWORK_TIMEOUT_S),
    }
    whole = conninfo.with_parameters(**{k: v for k, v in defaults.items() if k not in conninfo.parameters})
    try:
        return psycopg.connect(whole.reveal(), autocommit=True)
    except psycopg.Error as error:
        reason = str(error)
    # Outside the except block: the driver's exception, whose text may hold the password, is not even the context.
    raise refused(conninfo, reason)


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
