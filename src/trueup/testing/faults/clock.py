"""Time that passes for a database.

now() can't be moved honestly: a function of that name in front of the server's own misses current_timestamp, column
defaults and whatever names the schema, and a clock that is shifted in the tests' process disagrees with the server's.
What can be moved is what is stored: when every row is a month older, a month has passed for all that compares rows with
the clock, in SQL and in Python.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from psycopg import sql
from psycopg.errors import ExclusionViolation, InsufficientPrivilege, UniqueViolation
from psycopg.rows import class_row

from trueup.conninfo import ConnInfo
from trueup.db import Connection
from trueup.errors import PermissionMissing
from trueup.testing.faults.sessions import session

ASIDE = timedelta(days=730_485)
"""Two thousand years: further than the moments of a table lie apart, so that no row meets one that is still to move."""
RANGE = (
    "case when not isempty({column}) then {type}(lower({column}) - {by}, upper({column}) - {by},"
    " case when lower_inc({column}) then '[' else '(' end || case when upper_inc({column}) then ']' else ')' end)"
    " else {column} end"
)
MOVED = MappingProxyType(
    {
        "timestamp with time zone": "{column} - {by}",
        "timestamp without time zone": "{column} - {by}",
        "date": "{column} - {days}",
        "tstzrange": RANGE,
        "tsrange": RANGE,
        "daterange": RANGE.replace("{by}", "{days}"),
    }
)
"""By type: a column's value after the time has passed."""
FIND_TABLES = """
    select n.nspname as schema, c.relname as name, c.relkind = 'p' as is_partitioned,
           array_agg(a.attname::text order by a.attnum) as columns,
           array_agg(format_type(t.oid, null) order by a.attnum) as types
      from pg_attribute a
      join pg_class c on c.oid = a.attrelid
      join pg_namespace n on n.oid = c.relnamespace
      join pg_type y on y.oid = a.atttypid
      join pg_type t on t.oid = coalesce(nullif(y.typbasetype, 0), y.oid)
     where c.relkind in ('r', 'p') and not c.relispartition
       and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
       and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
       and format_type(t.oid, null) = any(%s)
     group by 1, 2, 3
     order by 1, 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedTable:
    """Is a table with moments in it."""

    schema: str
    name: str
    is_partitioned: bool
    columns: list[str]
    types: list[str]

    def update(self, by: timedelta) -> sql.Composed:
        """Return the statement that makes its rows older."""
        changes = [
            sql.SQL("{} = {}").format(
                sql.Identifier(column),
                sql.SQL(MOVED[type_]).format(
                    column=sql.Identifier(column), type=sql.SQL(type_), by=sql.Literal(by), days=sql.Literal(by.days)
                ),
            )
            for column, type_ in zip(self.columns, self.types, strict=True)
        ]
        return sql.SQL("update {} {} set {}").format(
            sql.SQL("" if self.is_partitioned else "only"),
            sql.Identifier(self.schema, self.name),
            sql.SQL(", ").join(changes),
        )


class Clock:
    """Lets time pass for one database."""

    def __init__(self, database: ConnInfo) -> None:
        self.database = database

    def advance(self, by: timedelta) -> int:
        """Let that much time pass, and commit; see `age_rows`."""
        with session(self.database) as connection:
            return age_rows(connection, by)


def age_rows(connection: Connection, by: timedelta) -> int:
    """Make every row of a database older by that much, in one transaction; returns the number of rows.

    Moves timestamps, dates (by whole days) and ranges of both, except in generated columns; not what stands in arrays
    or JSON. No trigger fires and no foreign key is checked: nothing was changed, it only was longer ago.

    Raises:
        PermissionMissing: only a superuser may keep triggers from firing.
        psycopg.errors.CheckViolation: a constraint or a partition has no room for what is older.
    """
    with connection.transaction(), untriggered(connection):
        tables = connection.cursor(row_factory=class_row(TimedTable)).execute(FIND_TABLES, [list(MOVED)]).fetchall()
        return sum(age_table(connection, table, by) for table in tables)


def age_table(connection: Connection, table: TimedTable, by: timedelta) -> int:
    """Make the rows of a table older; where one meets another on the way, all step aside first."""
    try:
        with connection.transaction():
            return connection.execute(table.update(by)).rowcount
    except (UniqueViolation, ExclusionViolation):
        connection.execute(table.update(ASIDE))
        return connection.execute(table.update(by - ASIDE)).rowcount


@contextmanager
def untriggered(connection: Connection) -> Iterator[None]:
    """Fire no trigger in the block; days have 24 hours in it."""
    names = ("session_replication_role", "timezone")
    before = [connection.execute("select current_setting(%s)", [name]).fetchone() for name in names]
    try:
        for name, value in zip(names, ("replica", "UTC"), strict=True):
            connection.execute("select set_config(%s, %s, true)", [name, value])
    except InsufficientPrivilege as error:
        raise PermissionMissing(
            "time can't pass: only a superuser may keep triggers from firing; connect as one, or let one run"
            " `grant set on parameter session_replication_role to ROLE`",
            sqlstate=error.sqlstate,
        ) from error
    yield
    for name, found in zip(names, before, strict=True):
        connection.execute("select set_config(%s, %s, true)", [name, *(found or ())])
