"""A test finds nothing of the one before in a database that was emptied."""

import pytest

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.testing.lending.host import OwnServer


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
def test_nothing_is_left_to_the_next_test(server: OwnServer, left: str, is_kept: bool) -> None:
    with server.emptied() as lent:
        connection = connect(lent)
        connection.execute(left.replace("{}", lent.parameters["dbname"]).encode())

    with server.emptied() as again, connect(again) as after:
        schemas = after.execute(r"select nspname from pg_namespace where nspname !~ '^(pg_|information_schema$)'")
        assert schemas.fetchall() == [("public",)]
        assert after.execute("select count(*) from pg_class where oid >= 16384").fetchone() == (0,)
        assert after.execute("select count(*) from pg_largeobject_metadata").fetchone() == (0,)
    assert (again == lent) is is_kept
    connection.close()


def test_two_at_a_time_are_two_databases(server: OwnServer) -> None:
    with server.emptied() as one, server.emptied() as other:
        assert one != other


def test_database_comes_back_empty_from_a_test_that_raised(server: OwnServer) -> None:
    lent = []
    with pytest.raises(ZeroDivisionError):
        leave_a_table_and_fail(server, lent)

    with server.emptied() as again, connect(again) as after:
        assert [again] == lent
        assert after.execute("select to_regclass('t')").fetchone() == (None,)


def leave_a_table_and_fail(server: OwnServer, lent: list[ConnInfo]) -> None:
    with server.emptied() as conninfo, connect(conninfo) as connection:
        lent.append(conninfo)
        connection.execute("create table t ()")
        raise ZeroDivisionError
