"""The check that a role can only read, so that a test which reads a live database can do nothing else."""

from importlib.resources import files

from trueup.db import Connection
from trueup.errors import Refused

POWERS = files("trueup.testing.live").joinpath("powers.sql").read_bytes()
SHOWN = 3
ADVICE = (
    "log in as a role that can only read: create role NAME login; grant pg_read_all_data to NAME; a schema public of"
    " before PostgreSQL 15 also needs: revoke create on schema public from public"
)


def powers_of(connection: Connection) -> list[str]:
    """Return everything by which the role of a session, or one that it may become, can change the database."""
    return sorted({power for (power,) in connection.execute(POWERS).fetchall()})


def check_reader(connection: Connection) -> None:
    """Return only if the session is read-only, and so is its role, whatever the session is told later.

    Raises:
        Refused: with what the role may do.
    """
    found = connection.execute("select session_user, current_setting('transaction_read_only')").fetchone()
    assert found
    role, read_only = found
    if read_only != "on":
        raise Refused(f'the session of the role "{role}" is not read-only: connect without a pooler in between')
    if powers := powers_of(connection):
        more = f", and {len(powers) - SHOWN} more" if len(powers) > SHOWN else ""
        raise Refused(
            f'tests only read a live database, but the role "{role}" {", ".join(powers[:SHOWN])}{more}; {ADVICE}'
        )
