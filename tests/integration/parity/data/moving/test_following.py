"""Two databases are compared until no row differs."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from trueup.parity.data import Condition, TableComparison, Window, compare
from trueup.report.model import Verdict
from trueup.verify import following
from trueup.verify.following import Following, Pursuit, Round
from trueup.verify.pair import open_pair

pytestmark = pytest.mark.parametrize("places", ["16to18"], indirect=True)
KEYS = {"integer": "bigint primary key", "text": "text primary key", "none": "bigint"}


def fill(databases: Any, key: str = "integer") -> None:
    databases.both(
        f"create table t (id {KEYS[key]}, n int)",
        "create table u (id int primary key)",
        "insert into t select i, i from generate_series(1, 100) i",
        "insert into u values (1)",
    )


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], object]], None]:
    """Have something done in each pause, which is given its number from 1 on."""

    def use(work: Callable[[int], object]) -> None:
        numbers = iter(range(1, 100))
        monkeypatch.setattr(following, "pause", lambda _: work(next(numbers)))

    return use


def follow(databases: Any, **how: Any) -> tuple[Following, list[tuple[bool, dict[str, int]]]]:
    rounds: list[Round] = []
    found = Following(lambda: open_pair(*databases.places), Pursuit(**how))
    found.run(rounds.append)
    return found, [(one.is_full, dict(one.differing)) for one in rounds]


@pytest.mark.parametrize("key", KEYS)
def test_it_ends_when_no_row_differs_and_says_when(databases: Any, meanwhile: Any, key: str) -> None:
    """What differed is read again alone; what comes to differ elsewhere is found by the reading of all rows."""
    fill(databases, key)
    databases.source.execute("update t set n = -n where n in (5, 6)")
    [(started,)] = databases.target.execute("select clock_timestamp()").fetchall()

    def work(number: int) -> None:
        if number == 2:
            databases.source.execute("insert into u values (2)")
            databases.target.execute("update t set n = -n where n in (5, 6)")
        if number == 3:
            databases.target.execute("insert into u values (2)")

    meanwhile(work)

    found, rounds = follow(databases)

    rows = 4 if key == "none" else 2
    assert rounds == [
        (True, {"public.t": rows}),
        (False, {"public.t": rows}),
        (False, {}),
        (True, {"public.u": 1}),
        (False, {}),
        (True, {}),
    ]
    assert found.section.verdict is Verdict.PASSED
    assert found.zero
    assert started < found.zero.target_at
    assert found.zero.lag_bytes is None


def test_it_gives_up_when_its_time_is_up(databases: Any, meanwhile: Any) -> None:
    fill(databases)
    databases.target.execute("delete from t where id = 7")
    databases.target.execute("update t set n = 0 where id = 8")
    ended = []
    meanwhile(lambda _: ended.append(1))

    found = Following(lambda: open_pair(*databases.places), Pursuit(until_s=1000))
    found.run(lambda one: setattr(found, "_until", 0) if not one.is_full else None)

    [finding] = found.section.findings
    assert (found.zero, found.verdict, finding.object) == (None, Verdict.FAILED, "public.t")
    assert finding.message == "2 rows differ: rows still differed after 1000 s"
    assert finding.details == ("id = 7", "id = 8")
    assert ended == [1]


def test_a_table_of_one_side_ends_it_at_once(databases: Any, meanwhile: Any) -> None:
    fill(databases)
    databases.source.execute("create table lost (id int)")
    meanwhile(lambda _: pytest.fail("no waiting changes it"))

    found, rounds = follow(databases)

    assert (found.zero, found.section.verdict, len(rounds)) == (None, Verdict.FAILED, 1)
    assert found.reason == "a table is on one side alone, which no waiting changes"


def test_what_can_not_be_compared_is_never_green(databases: Any) -> None:
    fill(databases)
    databases.source.execute("alter table t add column gone int")

    found, rounds = follow(databases)

    assert rounds == [(True, {})]
    assert found.section.verdict is Verdict.INCONCLUSIVE


def test_only_a_window_may_be_followed(databases: Any) -> None:
    fill(databases)
    databases.target.execute("update t set n = 0 where id = 8")
    window = Window(where=(Condition.parse("public.t: id > 50"),))

    found, rounds = follow(databases, window=window, tables=("public.t",))

    assert rounds == [(True, {})]
    assert (found.section.verdict, found.section.compared["source rows"]) == (Verdict.PASSED, 50)


@pytest.mark.parametrize("change", ["drop table t", "alter table t drop column n"])
def test_a_table_that_changes_meanwhile_is_read_as_it_is_then(databases: Any, meanwhile: Any, change: str) -> None:
    fill(databases)
    databases.target.execute("update t set n = 0 where id = 8")
    meanwhile(lambda number: databases.both(change) if number == 1 else None)

    found, rounds = follow(databases)

    assert rounds == [(True, {"public.t": 1}), (False, {}), (True, {})]
    assert found.section.verdict is Verdict.PASSED


@pytest.mark.parametrize(("rows", "verdict"), [(1, Verdict.FAILED), (0, Verdict.INCONCLUSIVE)])
def test_what_was_seen_is_known_when_it_is_interrupted(
    databases: Any, meanwhile: Any, rows: int, verdict: Verdict
) -> None:
    """While rows differ; when those have agreed, and all the others were not read again."""
    fill(databases)
    databases.target.execute("update t set n = 0 where id = 8")
    meanwhile(lambda number: databases.target.execute("update t set n = id where id = 8") if number == 2 else None)
    found = Following(lambda: open_pair(*databases.places), Pursuit())
    before = found.section.verdict

    def interrupt(one: Round) -> None:
        if not one.is_full and sum(one.differing.values()) == rows:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        found.run(interrupt)

    assert (before, found.section.verdict, found.zero) == (Verdict.INCONCLUSIVE, verdict, None)
    assert found.verdict is Verdict.INCONCLUSIVE


def test_a_reading_of_all_rows_that_is_stopped_verifies_nothing(
    databases: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(databases)
    databases.target.execute("update t set n = 0 where id = 8")

    def stopped(*args: Any, **options: Any) -> tuple[TableComparison, ...]:
        return tuple(replace(one, is_stopped=True, reason="its time was up") for one in compare(*args, **options))

    monkeypatch.setattr(following, "compare", stopped)

    found, rounds = follow(databases)

    assert rounds == [(True, {"public.t": 1})]
    assert (found.zero, found.verdict, found.reason) == (None, Verdict.INCONCLUSIVE, "its time was up")
