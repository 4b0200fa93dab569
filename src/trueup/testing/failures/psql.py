"""How people open a database of the tests: its address, and a line for a shell."""

from shlex import quote
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trueup.conninfo import ConnInfo

NAMED = ("service", "host", "hostaddr", "port", "user", "dbname", "sslmode", "sslrootcert")


def told_database(conninfo: "ConnInfo") -> str:
    """Return where a database is, and the line that opens it."""
    return f"{conninfo}\n{psql_line(conninfo)}"


def psql_line(conninfo: "ConnInfo") -> str:
    """Return the command that opens a database; a password is left to PGPASSWORD or .pgpass.

    Source: PostgreSQL manual, "Keyword/Value Connection Strings".
    """
    given = [(name, conninfo.parameters.get(name, "")) for name in NAMED]
    return "psql " + quote(" ".join(f"{name}={value_of(text)}" for name, text in given if text))


def value_of(text: str) -> str:
    """Return a value as it stands in a connection string."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'" if " " in text or escaped != text else text
