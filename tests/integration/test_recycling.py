"""A test finds nothing of the one before in a database that both were lent."""

import pytest
from tests.integration.recycling import Recycled

from trueup.db import connect
from trueup.servers import EmbeddedServer


@pytest.mark.parametrize(
    ("left", "is_kept"),
    [
        ("create table t (id int); create schema other; create table other.t (id int)", True),
        ("alter schema public rename to old; create type old.mood as enum ('good')", True),
        ("create function f() returns event_trigger language plpgsql as 'begin end'", True),
        ("create publication p for all tables", False),
        ("select lo_create(7)", False),
        ("create cast (text as int) with inout", False),
        ("alter database {} set work_mem = '1MB'", False),
        ("grant create on database {} to public", False),
        ("alter default privileges grant select on tables to public", False),
    ],
)
def test_nothing_is_left_to_the_next_test(server: EmbeddedServer, left: str, is_kept: bool) -> None:
    recycled = Recycled(server)
    lent = recycled.lend()
    connection = connect(lent)
    connection.execute(left.replace("{}", lent.parameters["dbname"]).encode())

    recycled.take_back()

    assert (recycled.lend() == lent) is is_kept
    with connect(recycled.lend()) as after:
        schemas = after.execute(r"select nspname from pg_namespace where nspname !~ '^(pg_|information_schema$)'")
        assert schemas.fetchall() == [("public",)]
        assert after.execute("select count(*) from pg_class where oid >= 16384").fetchone() == (0,)
        assert after.execute("select count(*) from pg_largeobject_metadata").fetchone() == (0,)
    connection.close()
    server.drop_database(recycled.lend().parameters["dbname"])
