"""One database a server that every test finds empty: emptied after each, which costs a third of a new one."""

import itertools

import psycopg

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.errors import TrueupError
from trueup.servers import EmbeddedServer

NUMBERS = itertools.count()

END_OTHERS = """
select pg_terminate_backend(pid, 2000) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""
EMPTY = r"""
do $$
declare
    name text;
begin
    for name in select nspname from pg_namespace where nspname !~ '^(pg_|information_schema$)' loop
        execute format('drop schema %I cascade', name);
    end loop;
    create schema public authorization pg_database_owner;
    grant usage on schema public to public;
end $$
"""
LEFT = """
select 1 from pg_cast where oid >= 16384
union all select 1 from pg_default_acl
union all select 1 from pg_event_trigger
union all select 1 from pg_extension where oid >= 16384
union all select 1 from pg_foreign_data_wrapper
union all select 1 from pg_language where oid >= 16384
union all select 1 from pg_largeobject_metadata
union all select 1 from pg_publication
union all select 1 from pg_am where oid >= 16384
union all select 1 from pg_db_role_setting where setdatabase <> 0
union all select 1 from pg_database
    where datname = current_database()
    and (datacl is not null or datconnlimit <> -1 or datistemplate or datdba <> 'postgres'::regrole)
"""
"""What stands in no schema, and what a database says of itself."""


class Recycled:
    """Lends a server's one database to a test at a time; a test that leaves more than schemas costs a new one.

    What a test does to the objects of PostgreSQL itself is not seen: such a test needs a database of its own.
    """

    def __init__(self, server: EmbeddedServer) -> None:
        self.server = server
        self.conninfo: ConnInfo | None = None

    def lend(self) -> ConnInfo:
        """Return an empty database."""
        if self.conninfo is None:
            self.conninfo = self.server.create_database(f"recycled_{next(NUMBERS)}")
        return self.conninfo

    def take_back(self) -> None:
        """Empty it, or drop it where that can't be done."""
        if self.conninfo is not None and not is_emptied(self.conninfo):
            self.server.drop_database(self.conninfo.parameters["dbname"])
            self.conninfo = None


def is_emptied(conninfo: ConnInfo) -> bool:
    """Empty a database and say whether nothing is left."""
    try:
        with connect(conninfo) as connection:
            connection.execute("set lock_timeout = '2s'")
            connection.execute(END_OTHERS)
            connection.execute(EMPTY)
            return not connection.execute(LEFT).fetchall()
    except (TrueupError, psycopg.Error):
        return False
