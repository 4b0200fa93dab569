"""The permission to leave test data on a live database: put into it by its owner, and read on the connection in use.

It is a setting of the database that names the server and the database it was written for, so a copy of it, in a dump or
in a replica that became a server of its own, permits nothing.
"""

from typing import TYPE_CHECKING, Any

from trueup.errors import Refused
from trueup.testing.identity import Identity, read_identity

if TYPE_CHECKING:
    from psycopg import Connection

SETTING = "trueup.test_data"
STORED = """
select setting.text
from pg_catalog.pg_database as database
join pg_catalog.pg_db_role_setting as stored
    on stored.setdatabase operator(pg_catalog.=) database.oid
    and stored.setrole operator(pg_catalog.=) 0::pg_catalog.oid
cross join pg_catalog.unnest(stored.setconfig) as setting (text)
where database.datname operator(pg_catalog.=) pg_catalog.current_database()
"""
"""What `alter database` has stored; a session's own `set` doesn't count."""


def permission_of(identity: Identity) -> str:
    """Return the value of the setting that permits test data on a database."""
    return f"allowed on server {identity.system_identifier}, database {identity.oid}"


def may_hold_test_data(connection: "Connection[Any]") -> bool:
    """Say whether the owner of the connection's database permits test data in it."""
    wanted = f"{SETTING}={permission_of(read_identity(connection.pgconn))}"
    return (wanted,) in connection.execute(STORED).fetchall()


def check_permission(connection: "Connection[Any]") -> None:
    """Return only if test data may be left on the connection's database.

    Raises:
        Refused: its owner has not permitted it.
    """
    if not may_hold_test_data(connection):
        raise Refused(
            f'the owner of the database "{connection.info.dbname}" has not permitted test data in it, so no test writes'
            " there; the owner does by: trueup testdata allow DB"
        )


def permit_test_data(connection: "Connection[Any]") -> None:
    """Permit test data on the connection's database; only its owner can.

    Raises:
        psycopg.errors.InsufficientPrivilege: the role isn't its owner.
    """
    from psycopg import sql  # noqa: PLC0415  The driver is loaded by whoever has a connection.

    database = sql.Identifier(connection.info.dbname)
    value = sql.Literal(permission_of(read_identity(connection.pgconn)))
    connection.execute(sql.SQL(f"alter database {{}} set {SETTING} = {{}}").format(database, value))


def forbid_test_data(connection: "Connection[Any]") -> None:
    """Take the permission back; what tests have left can still be cleaned up."""
    from psycopg import sql  # noqa: PLC0415  As above.

    connection.execute(sql.SQL(f"alter database {{}} reset {SETTING}").format(sql.Identifier(connection.info.dbname)))
