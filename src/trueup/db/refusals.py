"""What a failed login is called, and whether another attempt can help.

libpq tells no SQLSTATE with a failed login, only the server's text, which may be in any language. Where the text is not
one of those known here, the login is tried once more, and what libpq traces of it has the SQLSTATE.
"""

import os
import re
import sys
from collections.abc import Mapping
from time import monotonic

import psycopg
from psycopg import pq

from trueup.conninfo import ConnInfo
from trueup.db.readiness import WAITING, is_ready
from trueup.errors import AddressUnusable, ConnectionFailed, TooManyConnections

LOOK_S = 5.0
"""How long the second login may take."""

NO_SLOT = "the server, the database or the role allows no further connection: try later, or see trueup budget"
NOT_READY = "the server is not ready: try again in a moment"
NOT_LET_IN = "the server does not let this user in from this address: ask its administrator"
CHECK_PASSWORD = "check the user and the password"  # noqa: S105
CHECK_DATABASE = "check the name of the database"
CHECK_TLS = "check sslmode, sslrootcert and the server's certificate"
FINAL = (
    (r"password authentication failed|no password supplied|SCRAM", CHECK_PASSWORD),
    (r'database ".*" does not exist|no such database', CHECK_DATABASE),
    (r'role ".*" does not exist|no such user', "check the name of the user"),
    (r"no pg_hba\.conf entry", NOT_LET_IN),
    (r"certificate|does not support SSL|sslmode", CHECK_TLS),
)
"""What a refusal says when another attempt can't help, and what to check."""
PASSING = (
    (r"too many (clients|connections)|remaining connection slots", NO_SLOT),
    (r"could not translate host name|resolve|Name or service", "check the name of the host"),
    (r"refused|No such file or directory", "check the host and the port, and that the server is running"),
    (r"timeout expired|timed out|No route to host|unreachable", "check the host, the port, and the network between"),
    (r"SSL|TLS", CHECK_TLS),
    (r"starting up|shutting down|recovery", NOT_READY),
)
"""The same for what may be over in a moment."""
UNUSABLE = (
    (r'definition of service ".*" not found|service file "', "check the name of the service, and pg_service.conf"),
    (
        r'invalid "?\w+"? value: "|invalid (port number: |integer value |connection option )"|could not match \d',
        "correct the connection string",
    ),
)
"""The same for an address or options that are wrong by themselves, whatever the server."""
FINAL_STATES: Mapping[str, str] = {
    "28P01": CHECK_PASSWORD,
    "28000": NOT_LET_IN,
    "42501": NOT_LET_IN,
    "3D000": CHECK_DATABASE,
}
PASSING_STATES: Mapping[str, str] = {"53300": NO_SLOT, "57P03": NOT_READY}
"""The same by SQLSTATE."""
FROM_SERVER = re.compile(r"\w:  \S")
"""How libpq shows what a server says: the severity, in the server's language, and two spaces."""
TRACED_STATE = re.compile(rb'ErrorResponse\t.*? C "([0-9A-Z]{5})"')


def refused(conninfo: ConnInfo, reason: str) -> ConnectionFailed:
    """Return the error for a failed login, after a second one if the reason is in no language that is known here."""
    is_known = any(re.search(pattern, reason) for pattern, _ in UNUSABLE + FINAL + PASSING)
    return refusal(conninfo, reason, None if is_known or not FROM_SERVER.search(reason) else ask_again(conninfo))


def refusal(conninfo: ConnInfo, reason: str, sqlstate: str | None = None) -> ConnectionFailed:
    """Return the error for a failed login: by its SQLSTATE if that is known, else by the reason's text."""
    reason = conninfo.hide_secrets(reason).strip()
    texts = UNUSABLE + FINAL + PASSING
    found = (advice for pattern, advice in texts if re.search(pattern, reason))
    advice = {**FINAL_STATES, **PASSING_STATES}.get(sqlstate or "") or next(found, "check the connection string")
    is_final = sqlstate in FINAL_STATES or any(re.search(pattern, reason) for pattern, _ in FINAL)
    message = f"cannot connect to {conninfo}: {reason}; {advice}"
    if any(re.search(pattern, reason) for pattern, _ in UNUSABLE) and not FROM_SERVER.search(reason):
        return AddressUnusable(message, is_final=True)
    if advice is NO_SLOT:
        return TooManyConnections(message, sqlstate="53300")
    return ConnectionFailed(message, is_final=is_final, sqlstate=sqlstate)


def ask_again(conninfo: ConnInfo) -> str | None:
    """Return the SQLSTATE by which the server refuses a login now; None if it doesn't, or libpq can't tell."""
    if sys.platform != "linux":
        return None
    trace = os.memfd_create("login")
    login = pq.PGconn.connect_start(conninfo.reveal().encode())
    try:
        login.trace(trace)
        follow(login, monotonic() + LOOK_S)
        login.untrace()
        found = TRACED_STATE.search(os.pread(trace, os.fstat(trace).st_size, 0))
    except psycopg.Error:
        return None
    finally:
        login.finish()
        os.close(trace)
    return found[1].decode() if found else None


def follow(login: pq.abc.PGconn, deadline: float) -> None:
    """Drive a login to its end, or to the deadline."""
    while (state := login.connect_poll()) in WAITING:
        if not is_ready(login.socket, state, deadline):
            return
