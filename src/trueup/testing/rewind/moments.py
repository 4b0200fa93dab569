"""When and where a baseline is taken that is known already; what it holds is read when something is put back."""

from dataclasses import dataclass

from psycopg import sql

from trueup.db import Connection

CONFIGURATION = sql.SQL("md5(pg_read_file('postgresql.auto.conf')) || extract(epoch from pg_conf_load_time())")
"""What ALTER SYSTEM has written, and when the server last read its configuration; the same in every session."""
MOMENT = sql.SQL(
    "select oid::int8, pg_snapshot_xmax(pg_current_snapshot())::xid::text, {} from pg_database where datname = %s"
).format(CONFIGURATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Is when a database was new."""

    database: int
    """Its oid."""
    horizon: str
    """The number of the first transaction that was still to come."""
    configuration: str


def read_moment(admin: Connection, name: str) -> Moment:
    """Return the present moment of a database in which nobody is at work."""
    ((database, horizon, configuration),) = admin.execute(MOMENT, [name]).fetchall()
    return Moment(database=database, horizon=horizon, configuration=configuration)
