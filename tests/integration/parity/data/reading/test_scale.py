"""Many rows: few differences, only differences, and everything between."""

from typing import Any

import pytest
from psycopg import sql

from trueup.parity.data import Bounds

KEYS = {
    "integer": ("bigint primary key", "i"),
    "text": ("text primary key", "'k' || i"),
    "none": ("bigint", "i"),
}


def fill(databases: Any, key: str, rows: int) -> None:
    type_, expression = KEYS[key]
    databases.both(
        f"create table t (id {type_}, name text, price numeric, seen timestamptz, doc jsonb)",
        sql.SQL(
            "insert into t select {}, 'name ' || i, i / 8.0, '2024-01-01 00:00+00'::timestamptz + i * '1 s'::interval,"
            " jsonb_build_object('n', i) from generate_series(1, {}) i"
        ).format(sql.SQL(expression), sql.Literal(rows)),
    )


@pytest.mark.parametrize("key", ["integer", "text"])
def test_twenty_differences_in_a_hundred_thousand_rows(databases: Any, key: str) -> None:
    fill(databases, key, 100_000)
    shown = KEYS[key][1].replace("i", "{}") if key == "integer" else "k{}"
    gone, new, edited = range(5_000, 40_000, 7_000), range(200_000, 200_005), range(999, 100_000, 10_000)
    name_of = {number: shown.format(number) for number in (*gone, *new, *edited)}
    for number in gone:
        databases.target.execute("delete from t where id = %s", [name_of[number]])
    for number in new:
        databases.target.execute("insert into t (id) values (%s)", [name_of[number]])
    for number in edited:
        databases.target.execute("update t set price = price + 0.125 where id = %s", [name_of[number]])

    found = databases.compare_one()

    assert {key for (key,) in found.missing} == {name_of[number] for number in gone}
    assert {key for (key,) in found.extra} == {name_of[number] for number in new}
    assert {row.key[0] for row in found.changed} == {name_of[number] for number in edited}
    assert {row.columns for row in found.changed} == {("price",)}
    assert (found.source_rows, found.target_rows, found.truncated) == (100_000, 100_000, False)


@pytest.mark.parametrize("key", KEYS)
def test_when_every_row_differs_all_are_counted_and_some_are_listed(databases: Any, key: str) -> None:
    fill(databases, key, 20_000)
    databases.target.execute("update t set name = 'x' || name")

    found = databases.compare_one(bounds=Bounds(max_rows=50))

    if key == "none":
        assert (found.missing_count, found.extra_count, found.changed_count) == (20_000, 20_000, 0)
        assert len(found.missing) + len(found.extra) == 50
    else:
        assert (found.missing_count, found.extra_count, found.changed_count) == (0, 0, 20_000)
        assert [row.columns for row in found.changed] == [("name",)] * 50
    assert found.truncated


def test_the_list_shows_every_kind_of_difference(databases: Any) -> None:
    fill(databases, "integer", 3_000)
    databases.target.execute("delete from t where id <= 1000")
    databases.target.execute("update t set id = id + 100000, name = 'new' where id between 1001 and 2000")
    databases.target.execute("update t set name = null where id = 2500")

    found = databases.compare_one(bounds=Bounds(max_rows=9))

    assert (found.missing_count, found.extra_count, found.changed_count) == (2_000, 1_000, 1)
    assert (len(found.missing), len(found.extra), len(found.changed)) == (4, 4, 1)


def test_nothing_is_listed_when_nothing_may_be(databases: Any) -> None:
    fill(databases, "integer", 10)
    databases.target.execute("update t set name = null")

    found = databases.compare_one(bounds=Bounds(max_rows=0))

    assert (found.changed, found.changed_count, found.truncated) == ((), 10, True)
