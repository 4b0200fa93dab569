"""Which tables and columns are compared, and what is said of those that can't be."""

from typing import Any

import pytest

from trueup.db import snapshot
from trueup.errors import UsageError
from trueup.parity.data import TableComparison, uncompared, verdict_of
from trueup.parity.schema import catalog
from trueup.report.model import Verdict

LONG = "ж" * 31
"""62 bytes, of 63 that a name may have."""
NAMES = ['Odd "name"; drop table t; --', "100% %s %(x)s {0}", LONG, "select", " ", "naïve'quote"]


def by_table(found: tuple[TableComparison, ...]) -> dict[str, TableComparison]:
    return {one.table: one for one in found}


def test_equal_tables_pass(databases: Any) -> None:
    databases.both("create table t (id int primary key)", "insert into t values (1), (2)")

    found = databases.compare_one()

    assert (found.verdict, found.source_rows, found.target_rows, found.reason) == (Verdict.PASSED, 2, 2, None)


def test_two_empty_tables_did_not_agree(databases: Any) -> None:
    """5.4: both sides empty is not agreement."""
    databases.both("create table t (id int primary key)")

    found = databases.compare()

    assert (found[0].verdict, found[0].reason) == (Verdict.INCONCLUSIVE, "empty on both sides")
    assert verdict_of(found) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("key", ["int primary key", "int", "text primary key"])
@pytest.mark.parametrize("full", ["source", "target"])
def test_a_table_empty_on_one_side_differs(databases: Any, key: str, full: str) -> None:
    databases.both(f"create table t (id {key})")
    getattr(databases, full).execute("insert into t values ('1'), ('2')")

    found = databases.compare_one()

    assert (found.missing_count, found.extra_count) == ((2, 0) if full == "source" else (0, 2))
    assert found.verdict is Verdict.FAILED


def test_a_table_of_one_side_fails_with_its_rows_counted(databases: Any) -> None:
    databases.source.execute("create table lost (id int primary key)")
    databases.source.execute("insert into lost values (1), (2)")
    databases.target.execute("create table new (id int) partition by range (id)")

    found = by_table(databases.compare())

    lost, new = found["public.lost"], found["public.new"]
    assert (lost.verdict, lost.source_rows, lost.target_rows, lost.missing_count) == (Verdict.FAILED, 2, None, 2)
    assert (lost.reason, lost.truncated) == ("the target has no such table", True)
    assert (new.verdict, new.source_rows, new.target_rows, new.extra_count) == (Verdict.FAILED, None, 0, 0)
    assert new.reason == "the source has no such table"


def test_a_table_that_is_a_view_on_the_other_side_is_inconclusive(databases: Any) -> None:
    databases.source.execute("create table t (id int primary key)")
    databases.target.execute("create view t as select 1 as id")

    found = databases.compare_one()

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == "it is a view in the target, whose rows are not compared"


def test_views_are_counted_as_not_compared(databases: Any) -> None:
    databases.both(
        "create view v as select 1 as id",
        "create materialized view m as select 1 as id",
        "create foreign data wrapper w",
        "create server s foreign data wrapper w",
        "create foreign table f (id int) server s",
    )

    found = databases.compare()
    with snapshot(databases.places[0]) as source:
        counted = uncompared(catalog(source))
    databases.both("drop foreign data wrapper w cascade")

    assert found == ()
    assert verdict_of(found) is Verdict.INCONCLUSIVE
    assert counted == {"foreign table": 1, "materialized view": 1, "view": 1}


SETTINGS = {
    "bytea_output": "escape",
    "datestyle": "German",
    "extra_float_digits": "-15",
    "intervalstyle": "iso_8601",
    "quote_all_identifiers": "on",
    "search_path": "public",
    "timezone": "Asia/Tokyo",
    "xmloption": "document",
}


def test_settings_of_one_side_shape_nothing(databases: Any) -> None:
    databases.both(
        "create type shade as enum ('dark')",
        "create table t (at timestamptz primary key, span interval[], bytes bytea[], share float8[], kind regtype)",
        "insert into t select '2024-02-29 12:00+00'::timestamptz + n * interval '1 h', array[n * interval '1 day 1 s'],"
        " array['\\x00ff'::bytea], array[n / 3.0], 'shade'::regtype from generate_series(1, 3) n",
    )
    name = databases.places[1].parameters["dbname"]
    for setting, value in SETTINGS.items():
        databases.target.execute(f"alter database {name} set {setting} = '{value}'")

    found = databases.compare_one()
    databases.target.execute(f"alter database {name} reset all")

    assert (found.verdict, found.source_rows, found.changed) == (Verdict.PASSED, 3, ())


def test_columns_are_compared_by_name(databases: Any) -> None:
    databases.source.execute("create table t (id int primary key, gone int, a text, b int, c int)")
    databases.target.execute("create table t (c int, b int, junk int, a text, id int primary key)")
    databases.source.execute("alter table t drop column gone")
    databases.source.execute("insert into t values (1, 'x', 2, 3), (2, 'y', 4, 5)")
    databases.target.execute("insert into t values (3, 2, 0, 'x', 1), (5, 5, 0, 'y', 2)")

    found = databases.compare_one()

    assert [(row.key, row.columns) for row in found.changed] == [(("2",), ("b",))]
    assert found.columns_not_compared == ("junk: in the target only",)


def test_a_column_more_in_the_target_spoils_nothing(databases: Any) -> None:
    databases.source.execute("create table t (id int primary key)")
    databases.target.execute("create table t (id int primary key, note text)")
    databases.both("insert into t values (1)")

    found = databases.compare_one()

    assert (found.verdict, found.columns_not_compared) == (Verdict.PASSED, ("note: in the target only",))


def test_a_column_lost_in_the_target_is_never_green(databases: Any) -> None:
    databases.source.execute("create table t (id int primary key, note text)")
    databases.target.execute("create table t (id int primary key)")
    databases.both("insert into t (id) values (1)")

    found = databases.compare_one()

    assert (found.verdict, found.reason) == (
        Verdict.INCONCLUSIVE,
        "columns not compared: note is missing in the target",
    )


LIKE = [
    ("bigint", "int", "1", "2"),
    ("smallint", "bigint", "-1", "1"),
    ("numeric(10,2)", "numeric(12,4)", "1.5", "1.51"),
    ("int", "numeric", "1", "1.5"),
    ("numeric", "float8", "0.5", "0.25"),
    ("real", "float8", "0.5", "0.25"),
    ("text", "varchar(50)", "a ", "a"),
    ("char(3)", "char(5)", "a", "b"),
    ("char(3)", "text", "a", "b"),
    ("text", "int", "12", "13"),
    ("uuid", "text", "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"),
    ("color", "text", "red", "blue"),
    ("json", "jsonb", '{"a":1,"b":2}', '{"a":1}'),
    ("varchar(9)[]", "text[]", "{a,NULL}", '{a,"NULL"}'),
    ("int[]", "bigint[]", "{1}", "{2}"),
    ("positive", "int", "1", "2"),
    ("timestamptz(0)", "timestamptz", "2024-05-01 10:00:00+00", "2024-05-01 10:00:00.5+00"),
]


def test_types_with_a_form_in_common_are_compared_by_value(databases: Any) -> None:
    databases.both("create type color as enum ('red', 'blue')", "create domain positive as int check (value > 0)")
    for number, (here, there, same, other) in enumerate(LIKE):
        databases.source.execute(f"create table t{number:02} (id int primary key, v {here})")
        databases.target.execute(f"create table t{number:02} (id int primary key, v {there})")
        for connection, second in ((databases.source, same), (databases.target, other)):
            connection.execute(f"insert into t{number:02} values (1, '{same}'), (2, '{second}'), (3, null)")

    found = databases.compare()

    changes = [[(row.key, row.columns, row.representation) for row in one.changed] for one in found]
    assert changes == [[(("2",), ("v",), False)]] * len(LIKE)
    assert {one.columns_not_compared for one in found} == {()}


@pytest.mark.parametrize(("here", "there"), [("jsonb", "text[]"), ("timestamptz", "timestamp"), ("bool", "int")])
def test_types_without_a_form_in_common_are_inconclusive(databases: Any, here: str, there: str) -> None:
    """M-13, M-15: what was not compared is not called equal."""
    databases.source.execute(f"create table t (id int primary key, v {here}, w int)")
    databases.target.execute(f"create table t (id int primary key, v {there}, w int)")
    databases.both("insert into t (id) values (1)")

    found = databases.compare_one()
    databases.target.execute("update t set w = 1")
    differs = databases.compare_one()

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.columns_not_compared == (f"v ({_full(here)}, {_full(there)}): no common form",)
    assert differs.verdict is Verdict.FAILED


def _full(type_: str) -> str:
    full = {"timestamptz": "timestamp with time zone", "timestamp": "timestamp without time zone"}
    return {**full, "bool": "boolean", "int": "integer"}.get(type_, type_)


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_only_a_name(databases: Any, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    databases.both(
        f"create schema {quoted}",
        f"create type {quoted} as enum ('a', 'b')",
        f"create table {quoted}.{quoted} ({quoted} public.{quoted} primary key, v int)",
        f"insert into {quoted}.{quoted} values ('a', 1), ('b', 1)",
    )
    databases.target.execute(f"update {quoted}.{quoted} set v = 2 where {quoted} = 'b'")

    found = databases.compare_one()
    again = databases.compare_one(tables=[f"{name}.{name}"])

    assert [(row.key, row.columns) for row in found.changed] == [(("b",), ("v",))]
    assert again.changed == found.changed


def test_a_table_without_a_column_is_counted(databases: Any) -> None:
    databases.both("create table t ()", "insert into t default values")

    same = databases.compare_one()
    databases.target.execute("insert into t default values")
    differs = databases.compare_one()

    assert (same.verdict, same.source_rows) == (Verdict.PASSED, 1)
    assert (differs.verdict, differs.extra_count) == (Verdict.FAILED, 1)


def test_generated_columns_are_compared(databases: Any) -> None:
    databases.source.execute("create table t (id int primary key, a int, b int generated always as (a * 2) stored)")
    databases.target.execute("create table t (id int primary key, a int, b int generated always as (a * 3) stored)")
    databases.both("insert into t values (1, 0), (2, 1)")

    found = databases.compare_one()

    assert [(row.key, row.columns) for row in found.changed] == [(("2",), ("b",))]


def test_a_partitioned_table_is_read_through_its_root(databases: Any) -> None:
    databases.both("create table t (id int primary key, v text) partition by range (id)")
    databases.source.execute("create table t_1 partition of t for values from (0) to (100)")
    databases.target.execute("create table t_1 partition of t for values from (0) to (50)")
    databases.target.execute("create table t_2 partition of t for values from (50) to (100)")
    databases.both("insert into t select i, 'v' from generate_series(0, 99) i")
    databases.target.execute("update t set v = 'w' where id = 60")

    found = databases.compare_one()

    assert (found.table, found.source_rows, found.target_rows) == ("public.t", 100, 100)
    assert [row.key for row in found.changed] == [("60",)]


def test_a_parent_is_read_without_its_children(databases: Any) -> None:
    databases.both("create table t (id int primary key)", "create table child () inherits (t)")
    databases.both("insert into t values (1)", "insert into child values (2)")

    found = by_table(databases.compare())

    assert {table: one.source_rows for table, one in found.items()} == {"public.child": 1, "public.t": 1}


def test_tables_can_be_chosen(databases: Any) -> None:
    databases.both("create table a (id int)", "create table b (id int)")

    found = databases.compare(tables=["public.b"])

    assert [one.table for one in found] == ["public.b"]


def test_a_table_that_nobody_has_is_an_error(databases: Any) -> None:
    databases.both("create table a (id int)")

    with pytest.raises(UsageError, match=r"no such table on either side: public\.b"):
        databases.compare(tables=["public.b"])


def test_a_table_that_both_sides_lack_stops_no_other(databases: Any) -> None:
    databases.both("create table c (id int)", "insert into c values (1)")

    c, b = databases.compare(tables=["public.b", "public.c"])

    assert (c.table, c.verdict) == ("public.c", Verdict.PASSED)
    assert (b.table, b.verdict, b.reason) == ("public.b", Verdict.INCONCLUSIVE, "neither side has such a table")


def test_progress_names_each_table_before_it_is_compared(databases: Any) -> None:
    databases.both("create table a (id int)", "create table b (id int)")
    seen: list[Any] = []

    databases.compare(on_progress=seen.append)

    assert [(one.table, one.done, one.total) for one in seen] == [("public.a", 0, 2), ("public.b", 1, 2)]
