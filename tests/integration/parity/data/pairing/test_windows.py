"""Part of the rows is compared, and what was left out is said."""

from typing import Any

import pytest

from trueup.errors import UsageError
from trueup.parity.data import Condition, Sample, Since, TableComparison, Window, verdict_of
from trueup.report.model import Verdict

pytestmark = pytest.mark.parametrize("places", ["16to18"], indirect=True)


def where(*texts: str) -> Window:
    return Window(where=tuple(map(Condition.parse, texts)))


def fill(databases: Any, key: str = "int primary key") -> None:
    databases.both(
        f"create table t (id {key}, n int, name text, seen timestamptz)",
        "insert into t select i, i, 'name ' || i, timestamptz '2026-01-01 00:00+00' + i * interval '1 hour'"
        " from generate_series(1, 1000) i",
    )


def keys(found: TableComparison) -> tuple[list[str | None], ...]:
    return [key for (key,) in found.missing], [key for (key,) in found.extra], [row.key[0] for row in found.changed]


@pytest.mark.parametrize("key", ["int primary key", "text primary key"])
def test_only_rows_of_the_condition_are_compared(databases: Any, key: str) -> None:
    fill(databases, key)
    databases.target.execute("update t set name = 'other' where n in (5, 700)")

    found = databases.compare_one(window=where("n between 600 and 1499 or name like '%99{}' -- or so"))

    assert (found.source_rows, found.target_rows) == (401, 401)
    assert keys(found) == ([], [], ["700"])


def test_a_condition_may_be_for_one_table(databases: Any) -> None:
    databases.both("create table a (id int primary key)", "create table b (id int primary key, note text)")
    databases.both("insert into a values (1), (2)", "insert into b values (1, 'x'), (2, 'y')")
    databases.target.execute("update b set note = null where id = 1")

    a, b = databases.compare(window=where("id > 0", "public.b: note = 'y'"))

    assert (a.verdict, a.source_rows) == (Verdict.PASSED, 2)
    assert (b.verdict, b.source_rows, b.target_rows) == (Verdict.PASSED, 1, 1)


def test_a_row_that_the_window_shows_on_one_side_is_what_it_is_on_both(databases: Any) -> None:
    """In the window of the source and outside of the target's it is changed, not missing."""
    fill(databases)
    databases.target.execute("update t set n = 0 where id = 7")
    databases.source.execute("update t set n = 0 where id = 8")
    databases.target.execute("delete from t where id = 9")
    databases.source.execute("delete from t where id = 10")

    found = databases.compare_one(window=where("n between 5 and 20"))

    assert keys(found) == (["9"], ["10"], ["7", "8"])
    assert {row.columns for row in found.changed} == {("n",)}
    assert (found.missing_count, found.extra_count, found.changed_count) == (1, 1, 2)


def test_a_condition_that_holds_for_an_equal_row_on_one_side_alone_is_no_difference(databases: Any) -> None:
    databases.both("create table t (id int primary key)", "insert into t select generate_series(1, 50)")
    databases.both("create table only_here (id int)")
    databases.source.execute("insert into only_here values (7)")

    [_, found] = databases.compare(window=where("public.t: exists (select from public.only_here o where o.id = t.id)"))

    assert (found.source_rows, found.target_rows) == (1, 0)
    assert (found.verdict, keys(found)) == (Verdict.PASSED, ([], [], []))


HOSTILE = [
    "n",
    "count(*) > 1",
    "true) or (true",
    "n = 1; drop table t",
    "no_such_column > 5",
    "n = 'secret'",
    "",
    "1 /",
    "true, true)); commit; drop table public.t; select row((true",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_condition_is_refused(databases: Any, text: str) -> None:
    fill(databases)

    with pytest.raises(UsageError) as raised:
        databases.compare(window=where(text))

    assert "secret" not in str(raised.value)
    assert databases.source.execute("select count(*) from t").fetchone() == (1000,)
    if text:
        assert "public.t: " in str(raised.value)


def test_the_server_says_which_column_is_not_there(databases: Any) -> None:
    fill(databases)

    with pytest.raises(UsageError, match=r'public\.t: .* column "no_such_column" does not exist'):
        databases.compare(window=where("no_such_column > 5"))


def test_a_condition_for_a_table_that_is_not_compared_is_refused(databases: Any) -> None:
    fill(databases)

    with pytest.raises(UsageError, match=r"not compared: public\.clients"):
        databases.compare(window=where("public.clients: id > 1"))


def test_a_table_that_can_not_be_read_is_inconclusive_with_a_condition_too(databases: Any) -> None:
    fill(databases)
    databases.both("drop role if exists stranger", "create role stranger login")

    [found] = databases.compare(user="stranger", window=Window(where=where("n > 1").where, sample=Sample(percent=5.0)))
    databases.both("drop role stranger")

    assert found.verdict is Verdict.INCONCLUSIVE
    assert "permission denied" in (found.reason or "")


@pytest.mark.parametrize("key", ["int primary key", "text primary key", "int"])
def test_only_rows_from_a_value_on_are_compared(databases: Any, key: str) -> None:
    fill(databases, key)
    databases.target.execute("update t set name = 'other' where n in (5, 700)")

    found = databases.compare_one(window=Window(since=Since.parse("seen=2026-01-21")))

    assert (found.source_rows, found.target_rows) == (521, 521)
    assert found.missing_count + found.changed_count == 1


def test_tables_without_the_column_are_not_compared_and_say_so(databases: Any) -> None:
    fill(databases)
    databases.both("create table a (id int primary key)", "insert into a values (1)")
    databases.source.execute("create table b (id int primary key, seen jsonb)")
    databases.target.execute("create table b (id int primary key, seen text[])")

    found = databases.compare(window=Window(since=Since.parse("seen=2026-01-21")))

    assert [(one.table, one.verdict, one.reason) for one in found] == [
        (
            "public.a",
            Verdict.INCONCLUSIVE,
            "it has no column seen on both sides, so nothing of it was compared (--since)",
        ),
        (
            "public.b",
            Verdict.INCONCLUSIVE,
            "its column seen has no common form, so nothing of it was compared (--since)",
        ),
        ("public.t", Verdict.PASSED, None),
    ]
    assert verdict_of(found) is Verdict.INCONCLUSIVE


def test_since_needs_a_value_of_its_type(databases: Any) -> None:
    fill(databases)

    with pytest.raises(UsageError, match=r"public\.t: .*InvalidDatetimeFormat \(SQLSTATE 22007\)") as raised:
        databases.compare(window=Window(since=Since.parse("seen=sometime")))

    assert "sometime" not in str(raised.value)


@pytest.mark.parametrize("key", ["int primary key", "text primary key", "int"])
def test_a_sample_is_of_the_same_rows_on_both_sides_and_in_every_run(databases: Any, key: str) -> None:
    fill(databases, key)
    window = Window(sample=Sample.parse("20%"))

    found, again = (databases.compare_one(window=window) for _ in range(2))

    assert 100 < (found.source_rows or 0) < 300
    assert found.source_rows == found.target_rows == again.source_rows
    assert (found.missing_count, found.extra_count, found.changed_count) == (0, 0, 0)


def test_a_sample_is_never_green(databases: Any) -> None:
    fill(databases)

    agrees = databases.compare(window=Window(sample=Sample.parse("100%")))
    databases.target.execute("update t set name = 'other'")
    differs = databases.compare(window=Window(sample=Sample.parse("10%")))

    assert (agrees[0].verdict, agrees[0].is_sample, verdict_of(agrees)) == (
        Verdict.INCONCLUSIVE,
        True,
        Verdict.INCONCLUSIVE,
    )
    assert (differs[0].verdict, verdict_of(differs)) == (Verdict.FAILED, Verdict.FAILED)
    assert differs[0].changed_count == differs[0].source_rows


def test_a_sample_of_rows_is_about_as_large(databases: Any) -> None:
    fill(databases)
    databases.both("analyze t")

    found = databases.compare_one(window=Window(sample=Sample.parse("200")))

    assert 100 < (found.source_rows or 0) < 300


def test_a_window_without_a_row_proves_nothing(databases: Any) -> None:
    fill(databases)

    [found] = databases.compare(window=where("n < 0"))

    assert (found.verdict, found.reason) == (Verdict.INCONCLUSIVE, "no row of those asked for on either side")
