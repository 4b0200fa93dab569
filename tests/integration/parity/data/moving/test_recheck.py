"""Rows that differ are read again: settled, still different and still moving are kept apart."""

from collections.abc import Callable
from typing import Any

import pytest

from trueup.db import connect
from trueup.parity.data import Bounds, Recheck, Since, TableComparison, Window, comparison, read_again
from trueup.parity.data.moving import recheck
from trueup.report.model import Verdict

pytestmark = pytest.mark.parametrize("places", ["16to18"], indirect=True)
KEYS = {
    "integer": ("id bigint primary key", "i"),
    "text": ("id text primary key", "'k' || i"),
    "none": ("id bigint", "i"),
}
QUICK = Recheck(seconds=0.001, rounds=3)


def fill(databases: Any, key: str = "integer") -> None:
    columns, value = KEYS[key]
    databases.both(
        f"create table t ({columns}, n int, name text)",
        f"insert into t select {value}, i, 'name ' || i from generate_series(1, 200) i",
    )


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], None]], None]:
    """Have something done in each pause, which is given its number from 1 on."""

    def use(work: Callable[[int], None]) -> None:
        numbers = iter(range(1, 100))
        monkeypatch.setattr(recheck, "pause", lambda _: work(next(numbers)))

    return use


def counts(found: TableComparison) -> tuple[int, ...]:
    return found.missing_count, found.extra_count, found.changed_count, found.settled_count, found.moving_count


@pytest.mark.parametrize("key", KEYS)
def test_rows_that_stay_as_they_are_are_still_different(databases: Any, key: str) -> None:
    fill(databases, key)
    databases.target.execute("update t set name = 'other' where n = 5")
    databases.target.execute("delete from t where n = 6")
    databases.source.execute("delete from t where n in (7, 8)")

    plain = databases.compare_one()
    found = databases.compare_one(recheck=QUICK)

    expected = (2, 3, 0, 0, 0) if key == "none" else (1, 2, 1, 0, 0)
    assert (found.verdict, counts(found)) == (Verdict.FAILED, expected)
    if key != "none":
        assert (found.missing, found.extra, found.changed) == (plain.missing, plain.extra, plain.changed)


CHANGES = (
    "update t set name = 'new' where n = 5",
    "insert into t select '999', 999, 'new'",
    "delete from t where n = 7",
)


@pytest.mark.parametrize("key", KEYS)
def test_rows_that_agree_at_last_are_settled(databases: Any, meanwhile: Any, key: str) -> None:
    """Updated, inserted and deleted ones; a row of another content is two rows where no key tells them to be one."""
    fill(databases, key)
    databases.target.execute("update t set name = 'planted' where n = 9")
    for change in CHANGES:
        databases.source.execute(change)
    meanwhile(lambda number: [databases.target.execute(change) for change in CHANGES if number == 1])

    found = databases.compare_one(recheck=QUICK)

    assert found.verdict is Verdict.FAILED
    assert counts(found) == ((1, 1, 0, 4, 0) if key == "none" else (0, 0, 1, 3, 0))


def test_a_table_all_of_whose_rows_settled_passes(databases: Any, meanwhile: Any) -> None:
    fill(databases)
    databases.source.execute(CHANGES[0])
    meanwhile(lambda _: databases.target.execute(CHANGES[0]))

    found = databases.compare_one(recheck=QUICK)

    assert (found.verdict, found.reason, counts(found)) == (Verdict.PASSED, None, (0, 0, 0, 1, 0))


@pytest.mark.parametrize("side", ["source", "target"])
@pytest.mark.parametrize("key", KEYS)
def test_a_row_that_is_written_between_any_two_readings_is_moving(
    databases: Any, meanwhile: Any, key: str, side: str
) -> None:
    """Even where it is written as it was."""
    fill(databases, key)
    databases.target.execute("update t set name = 'planted' where n = 5")
    meanwhile(lambda _: getattr(databases, side).execute("update t set name = name where n = 5"))

    found = databases.compare_one(recheck=QUICK)

    if key == "none":
        assert counts(found) == ((0, 1, 0, 0, 1) if side == "source" else (1, 0, 0, 0, 1))
    else:
        assert (found.verdict, counts(found)) == (Verdict.INCONCLUSIVE, (0, 0, 0, 0, 1))
        assert found.moving == (("5" if key == "integer" else "k5",),)


def test_a_row_that_came_to_rest_late_is_judged_then(databases: Any, meanwhile: Any) -> None:
    fill(databases)
    databases.target.execute("update t set name = 'planted' where n in (5, 6)")

    def work(number: int) -> None:
        if number <= 2:
            databases.source.execute("update t set name = 'later' where n in (5, 6)")
            databases.target.execute("update t set name = 'later' where n = 6 and %s = 2", [number])

    meanwhile(work)

    found = databases.compare_one(recheck=QUICK)

    assert counts(found) == (0, 0, 1, 1, 0)
    assert found.changed[0].key == ("5",)


def test_columns_are_those_of_the_last_reading(databases: Any, meanwhile: Any) -> None:
    fill(databases)
    databases.target.execute("update t set name = 'planted', n = 0 where id = 5")
    meanwhile(lambda number: databases.source.execute("update t set n = 0 where id = 5") if number == 1 else None)

    found = databases.compare_one(recheck=QUICK)

    assert [(row.key, row.columns) for row in found.changed] == [(("5",), ("name",))]


def test_few_rows_are_listed_and_all_are_counted(databases: Any) -> None:
    fill(databases)
    databases.target.execute("update t set name = 'planted' where n <= 20")
    databases.target.execute("delete from t where n between 21 and 30")

    found = databases.compare_one(recheck=QUICK, bounds=Bounds(max_rows=6))

    assert counts(found) == (10, 0, 20, 0, 0)
    assert (len(found.missing), len(found.changed), found.truncated) == (3, 3, True)


@pytest.mark.parametrize("key", KEYS)
def test_rows_that_are_too_many_to_be_read_again_are_never_called_different(
    databases: Any, monkeypatch: pytest.MonkeyPatch, meanwhile: Any, key: str
) -> None:
    """A hundred thousand rows that differ fill no memory; nothing is known of those that are left out."""
    monkeypatch.setattr(comparison, "MOST_ROWS", 50)
    monkeypatch.setattr(recheck, "MOST_ROWS", 50)
    fill(databases, key)
    databases.target.execute("update t set name = 'planted'")
    meanwhile(lambda number: databases.target.execute("update t set name = 'name ' || n") if number == 1 else None)

    found = databases.compare_one(recheck=QUICK, bounds=Bounds(max_rows=5))

    rows = 400 if key == "none" else 200
    assert (found.verdict, counts(found)) == (Verdict.INCONCLUSIVE, (0, 0, 0, 50, rows - 50))
    assert found.reason == f"{rows - 50} rows more than the 100,000 that are read again differ"


@pytest.mark.parametrize("change", ["drop table t", "alter table t drop column name", "revoke select on t from reader"])
def test_a_table_that_can_no_longer_be_read_is_inconclusive(databases: Any, meanwhile: Any, change: str) -> None:
    fill(databases)
    databases.both("drop role if exists reader", "create role reader login")
    databases.both("grant usage on schema public to reader", "grant select on t to reader")
    databases.target.execute("update t set name = 'planted' where n = 5")
    # With no snapshot that holds a lock on the table.
    found = databases.compare(user="reader")
    with databases.pairs(user="reader") as (source, target, pairs):
        pass
    meanwhile(lambda number: databases.target.execute(change) if number == 1 else None)

    [again] = read_again(source, target, pairs, found, QUICK)
    databases.both("drop owned by reader", "drop role reader")

    assert (again.verdict, counts(again)) == (Verdict.INCONCLUSIVE, (0, 0, 0, 0, 1))
    assert again.reason


def test_rows_found_in_a_window_are_read_again_outside_of_it(databases: Any, meanwhile: Any) -> None:
    fill(databases)
    databases.source.execute("update t set n = 1000 where id in (5, 6)")
    meanwhile(lambda number: databases.target.execute("update t set n = 1000 where id = 5") if number == 1 else None)

    found = databases.compare_one(recheck=QUICK, window=Window(since=Since.parse("n=1000")))

    assert counts(found) == (0, 0, 1, 1, 0)
    assert found.changed[0].columns == ("n",)


def test_a_key_that_may_be_null_is_found_again(databases: Any) -> None:
    """A row that can't be found again would look as if it were gone from both sides."""
    databases.source.execute("create table t (a int, b int, v int, unique nulls not distinct (a, b))")
    databases.source.execute("create unique index on t (v)")
    databases.target.execute("create table t (a int, b int not null, v int not null, unique (v))")
    databases.both("insert into t values (1, 1, 1), (2, 2, 2)")
    databases.source.execute("insert into t values (3, 3, null)")

    found = databases.compare_one(recheck=QUICK)

    assert (found.key, found.missing, found.settled_count) == (("v",), ((None,),), 0)


def test_a_server_that_goes_away_leaves_what_is_known(databases: Any, meanwhile: Any) -> None:
    """Both rows differ for all we know then; one of them was still different before."""
    fill(databases)
    databases.target.execute("update t set name = 'planted' where n in (5, 6)")
    database = databases.places[0].parameters["dbname"]

    def let_in(word: str) -> None:
        with connect(databases.places[0].with_parameters(dbname="postgres")) as admin:
            admin.execute(f"alter database {database} allow_connections {word}")

    def work(number: int) -> None:
        databases.source.execute("update t set name = name where n = 6")
        if number == 2:
            let_in("false")

    meanwhile(work)
    with databases.pairs() as (source, target, pairs):
        found = databases.compare()
        try:
            again = read_again(source, target, pairs, found, QUICK)
        finally:
            let_in("true")

    assert (again[0].verdict, counts(again[0])) == (Verdict.FAILED, (0, 0, 1, 0, 1))
    assert "not currently accepting connections" in (again[0].reason or "")


def test_a_recheck_keeps_within_the_time_of_the_comparison(databases: Any, meanwhile: Any) -> None:
    fill(databases)
    databases.target.execute("update t set name = 'planted' where n = 5")
    meanwhile(lambda _: pytest.fail("there was no time for a pause"))

    found = databases.compare_one(recheck=Recheck(seconds=1000), bounds=Bounds(max_seconds=500))

    assert (found.verdict, counts(found)) == (Verdict.INCONCLUSIVE, (0, 0, 0, 0, 1))
    assert found.reason == "there was no time left for another pause of the recheck"
