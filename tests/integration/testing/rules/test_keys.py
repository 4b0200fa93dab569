"""Rules about keys: what breaks them is found, what keeps them is left alone, and the remedy works."""

from collections.abc import Iterator

import pytest

from trueup.conninfo import ConnInfo
from trueup.db import Connection, connect
from trueup.testing.rules.keys import find_foreign_keys_without_index, find_tables_without_primary_key


@pytest.fixture
def connection(database: ConnInfo) -> Iterator[Connection]:
    connection = connect(database)
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("create table t (id int)", ["public.t"]),
        ("create table t (id int unique not null)", ["public.t"]),
        ('create schema "S x"; create table "S x"."T" (id int)', ["S x.T"]),
        ("create table t (d date) partition by range (d); create table p partition of t default", ["public.t"]),
        ("create unlogged table t (id int)", ["public.t"]),
        ("create table t (id int primary key)", []),
        ("create table t (a int, b int, primary key (a, b))", []),
        ("create temporary table t (id int)", []),
        ("create view t as select 1", []),
        ("select", []),
    ],
)
def test_table_without_primary_key_is_found(connection: Connection, statement: str, found: list[str]) -> None:
    connection.execute(statement.encode())

    assert [finding.object for finding in find_tables_without_primary_key(connection)] == found


def test_table_of_an_extension_is_not_the_projects(connection: Connection) -> None:
    connection.execute("create table t (id int)")
    connection.execute(
        "insert into pg_depend select 'pg_class'::regclass, 't'::regclass, 0, 'pg_extension'::regclass, oid, 0, 'e'"
        " from pg_extension"
    )

    assert find_tables_without_primary_key(connection) == ()


BOTH = (
    "create table a (x int, y int, primary key (x, y));"
    " create table b (n int, x int, y int, foreign key (x, y) references a)"
)


@pytest.mark.parametrize(
    ("index", "serves"),
    [
        ("create index on b (x, y)", True),
        ("create index on b (y, x)", True),
        ("create index on b (x, y, n)", True),
        ("alter table b add primary key (x, y)", True),
        ("create index on b (x, y) where x is not null", True),
        ("select", False),
        ("create index on b (x)", False),
        ("create index on b (n, x, y)", False),
        ("create index on b (x, y) where n > 1", False),
        ("create index on b using brin (x, y)", False),
        ("create index on b (x, (y + 1))", False),
        ("create index i on b (x, y); update pg_index set indisvalid = false where indexrelid = 'i'::regclass", False),
    ],
)
def test_foreign_key_is_served_by_an_index_that_begins_with_it(
    connection: Connection, index: str, serves: bool
) -> None:
    connection.execute(BOTH.encode())
    connection.execute(index.encode())

    found = [finding.object for finding in find_foreign_keys_without_index(connection)]

    assert found == ([] if serves else ["public.b (x, y)"])


def test_hash_index_serves_a_key_of_one_column(connection: Connection) -> None:
    connection.execute("create table a (id int primary key); create table b (a_id int references a)")
    before = find_foreign_keys_without_index(connection)

    connection.execute("create index on b using hash (a_id)")

    assert (len(before), find_foreign_keys_without_index(connection)) == (1, ())


def test_partitions_share_the_finding_of_their_table(connection: Connection) -> None:
    connection.execute("create table a (id int primary key)")
    connection.execute("create table b (a_id int references a) partition by list (a_id)")
    connection.execute("create table b1 partition of b for values in (1)")

    assert [finding.object for finding in find_foreign_keys_without_index(connection)] == ["public.b (a_id)"]


def test_remedy_can_be_run_as_it_is(connection: Connection) -> None:
    connection.execute('create schema "S x"; create table "S x"."A" (id int primary key)')
    connection.execute('create table "S x"."B" ("order" int references "S x"."A")')
    [finding] = find_foreign_keys_without_index(connection)

    connection.execute(finding.remedy.encode())

    assert find_foreign_keys_without_index(connection) == ()
    assert "whole table" in finding.meaning
