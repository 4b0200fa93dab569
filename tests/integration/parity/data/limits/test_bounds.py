"""However much a comparison does at a time, and wherever: it finds the same. What stops it leaves what it had found."""

import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from typing import Any

import pytest

from trueup.db.connection import Connection
from trueup.parity.data import Bounds, Ledger, Progress, TableComparison, compare, verdict_of
from trueup.parity.data.limits import bounds as module
from trueup.parity.data.limits import load
from trueup.report.model import Verdict

pytestmark = pytest.mark.parametrize("places", ["16to18"], indirect=True)


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut tables into small segments."""
    monkeypatch.setattr(module, "SEGMENT_BYTES", 40_000)
    monkeypatch.setattr(module, "GENTLE_SEGMENT_BYTES", 40_000)


@pytest.fixture
def reader(databases: Any) -> Iterator[str]:
    """Return the name of a role that may read tables, and nothing else."""
    databases.both("create role bounds_reader login", "grant usage on schema public to bounds_reader")
    yield "bounds_reader"
    databases.both("drop owned by bounds_reader", "drop role bounds_reader")


def fill(databases: Any) -> None:
    """Make five tables, with differences of every kind."""
    for name in "abc":
        databases.both(
            f"create table {name} (id bigint primary key, v text)",
            f"insert into {name} select i, md5(i::text) from generate_series(1, 2000) i",
        )
    databases.both("create table keyless (v int)", "insert into keyless values (1), (1)")
    databases.source.execute("create table lost (id int primary key)")
    databases.target.execute("delete from b where id in (5, 1500)")
    databases.target.execute("insert into b values (-7, 'new'), (9000, 'new')")
    databases.target.execute("update c set v = 'other' where id % 400 = 1")
    databases.target.execute("insert into keyless values (1)")


def essence(found: tuple[TableComparison, ...]) -> Any:
    return [
        (
            (one.table, one.verdict, one.source_rows, one.target_rows),
            (one.missing_count, one.extra_count, one.changed_count),
            (sorted(one.missing), sorted(one.changed, key=repr), sorted(one.extra) if one.key else len(one.extra)),
            one.is_stopped,
        )
        for one in found
    ]


@pytest.mark.usefixtures("pieces")
@pytest.mark.parametrize("bounds", [Bounds(jobs=3), Bounds(is_gentle=True), Bounds(max_seconds=1000)], ids=repr)
def test_bounds_change_nothing_of_what_is_found(databases: Any, bounds: Bounds) -> None:
    fill(databases)
    ledger = Ledger()

    found = databases.compare(bounds=bounds, ledger=ledger)

    assert essence(found) == essence(databases.compare())
    assert len(ledger.accounts["public.a"].spans) > 2


@pytest.mark.usefixtures("pieces")
def test_processes_find_the_same(databases: Any) -> None:
    """M-26: they see the snapshots of the process that asked, whatever is written meanwhile."""
    fill(databases)
    expected = essence(databases.compare())

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        found = databases.compare(
            bounds=Bounds(jobs=2), executor=executor, on_progress=lambda _: databases.both("delete from a")
        )

    assert essence(found) == expected


@pytest.mark.usefixtures("pieces")
def test_all_workers_see_one_moment(databases: Any) -> None:
    fill(databases)
    expected = essence(databases.compare())

    found = databases.compare(bounds=Bounds(jobs=3), on_progress=lambda _: databases.source.execute("delete from a"))

    assert essence(found) == expected


@contextmanager
def locked(databases: Any, table: str) -> Iterator[None]:
    """Keep everybody else out of a table of both sides."""
    databases.both("begin", f"lock table {table} in access exclusive mode")
    yield
    databases.both("rollback")


@pytest.mark.parametrize(("jobs", "key"), [(1, "int"), (1, "text"), (3, "text")])
def test_when_its_time_is_up_it_says_what_was_compared(databases: Any, jobs: int, key: str) -> None:
    """While a table is cut into parts, and while it is read."""
    databases.both("create table a (id int primary key)", "insert into a values (1)")
    databases.both(f"create table b (id {key} primary key)", "insert into b values (1)")

    with ExitStack() as stack:
        sides = databases.sides(stack)
        with locked(databases, "b"):
            a, b = compare(*sides, bounds=Bounds(max_seconds=3, jobs=jobs))

        assert (a.verdict, a.is_stopped) == (Verdict.PASSED, False)
        assert (b.verdict, b.is_stopped) == (Verdict.INCONCLUSIVE, True)
        assert b.reason == "not compared: the 3 s that it had were up"
        assert verdict_of((a, b)) is Verdict.INCONCLUSIVE
        # The snapshots go on: other checks use them.
        assert [side.snapshot.rows("select count(*) from public.a") for side in sides] == [[(1,)], [(1,)]]


def test_a_statement_that_takes_too_long_stops_no_other_table(databases: Any) -> None:
    databases.both("create table a (id int primary key)", "create table b (id int primary key)")
    databases.both("insert into a values (1)", "insert into b values (1)")

    with ExitStack() as stack:
        sides = databases.sides(stack)
        with locked(databases, "a"):
            a, b = compare(*sides, bounds=Bounds(statement_timeout_s=1))

    assert (a.verdict, b.verdict) == (Verdict.INCONCLUSIVE, Verdict.PASSED)
    assert "SQLSTATE 57014" in (a.reason or "")
    assert "--statement-timeout" in (a.reason or "")


@contextmanager
def at_work(connection: Connection) -> Iterator[None]:
    """Keep a connection busy."""
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(connection.execute, "select pg_sleep(60)")
        while not is_active(work, connection):
            threading.Event().wait(0.01)
        try:
            yield
        finally:
            connection.cancel_safe()
            assert work.exception(20) is not None


def is_active(work: Any, connection: Connection) -> bool:
    assert not work.done()
    return connection.info.transaction_status.name == "ACTIVE"


@pytest.mark.parametrize("user", ["postgres", "reader"])
def test_gentle_comparison_leaves_a_busy_server_alone(
    databases: Any, reader: str, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role without pg_monitor sees no state of others, and still counts them."""
    monkeypatch.setattr(load, "AGAIN_S", 0)
    databases.both("create table a (id int primary key)", "insert into a values (1)")
    databases.both("grant select on a to public")
    role = reader if user == "reader" else user

    with at_work(databases.target):
        [stopped] = databases.compare(user=role, bounds=Bounds(is_gentle=True, max_active=0))
        [compared] = databases.compare(user=role, bounds=Bounds(is_gentle=True, max_active=1))

    place = str(databases.places[1].with_parameters(user=role))
    assert stopped.is_stopped
    assert f"1 other connections are at work on {place}, more than the 0" in (stopped.reason or "")
    assert compared.verdict is Verdict.PASSED


def test_gentle_comparison_takes_no_parallel_workers(databases: Any) -> None:
    databases.both("create table a (id int primary key)", "insert into a values (1)")
    seen = []

    with ExitStack() as stack:
        sides = databases.sides(stack)

        def note(_: object) -> None:
            seen.extend(side.snapshot.rows("show max_parallel_workers_per_gather") for side in sides)

        compare(*sides, bounds=Bounds(is_gentle=True), on_progress=note)

    assert seen == [[("0",)], [("0",)]]


@pytest.mark.usefixtures("pieces")
@pytest.mark.parametrize("jobs", [1, 2])
def test_what_was_compared_is_known_when_the_user_interrupts(databases: Any, jobs: int) -> None:
    fill(databases)
    ledger = Ledger()

    def interrupt(progress: Progress) -> None:
        if progress.table == "public.c":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        databases.compare(bounds=Bounds(jobs=jobs), ledger=ledger, on_progress=interrupt)

    a, _, c, *_ = ledger.comparisons()
    assert (a.verdict, a.is_stopped) == (Verdict.PASSED, False)
    assert (c.verdict, c.reason) == (Verdict.INCONCLUSIVE, "not compared: it was interrupted")


@pytest.mark.usefixtures("pieces")
@pytest.mark.parametrize("key", ["hashint4(i)::bigint + 3000000000", "md5(i::text)"], ids=["scattered", "text"])
def test_a_table_whose_parts_would_each_read_all_of_it_is_read_whole(databases: Any, key: str) -> None:
    type_ = "text" if "md5" in key else "bigint"
    databases.both(
        f"create table a (id {type_} primary key, v text)",
        f"insert into a select {key}, md5(i::text) from generate_series(1, 2000) i",
        "analyze a",
    )
    ledger = Ledger()

    databases.compare(bounds=Bounds(jobs=2), ledger=ledger)

    assert len(ledger.accounts["public.a"].spans) == 1


@pytest.mark.usefixtures("pieces")
def test_a_role_that_may_only_select_can_use_all_bounds(databases: Any, reader: str) -> None:
    fill(databases)
    databases.both("grant select on a, b, c, keyless to public")
    databases.source.execute("grant select on lost to public")

    found = databases.compare(user=reader, bounds=Bounds(jobs=3, max_seconds=1000, statement_timeout_s=1000))

    assert essence(found) == essence(databases.compare())


@pytest.mark.usefixtures("pieces")
def test_segments_that_are_known_are_not_read_again(databases: Any) -> None:
    fill(databases)
    ledger = Ledger()
    databases.compare(tables=["public.a"], bounds=Bounds(jobs=2), ledger=ledger)
    parts = ledger.accounts["public.a"].parts
    for number in range(1, len(parts)):
        del parts[number]
    databases.target.execute("update a set v = 'other' where id in (1, 2000)")

    [found] = databases.compare(tables=["public.a"], bounds=Bounds(jobs=2), ledger=ledger)

    assert [row.key for row in found.changed] == [("2000",)]
    assert (found.source_rows, found.target_rows) == (2000, 2000)
