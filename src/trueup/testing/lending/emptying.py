"""Databases that every test finds empty: emptied after each, which costs a third of a new one."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.errors import TrueupError
from trueup.servers.embedded import EmbeddedServer

NUMBERS = itertools.count(1)

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


@contextmanager
def lent(server: EmbeddedServer, empty: list[ConnInfo]) -> Iterator[ConnInfo]:
    """Lend one of a server's `empty` databases, or a new one; it comes back emptied, or is dropped.

    What a test does to the objects of PostgreSQL itself is not seen: such a test needs a database of its own.
    """
    conninfo = empty.pop() if empty else server.create_database(f"trueup_empty_{next(NUMBERS)}")
    try:
        yield conninfo
    finally:
        if is_emptied(conninfo):
            empty.append(conninfo)
        else:
            server.drop_database(conninfo.parameters["dbname"])


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
