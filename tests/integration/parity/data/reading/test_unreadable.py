"""What can't be read is inconclusive, with the reason, and stops nothing else; nothing of a row is told."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from time import monotonic
from typing import Any

import pytest
from psycopg.pq import TransactionStatus

from trueup.db.connection import Connection
from trueup.parity.data import Progress, TableComparison, compare, verdict_of
from trueup.report.model import Verdict


@pytest.fixture
def reader(databases: Any) -> Any:
    """Return the name of a role that may read what it is granted."""
    databases.both("create role data_reader login", "grant usage on schema public to data_reader")
    yield "data_reader"
    databases.both("drop owned by data_reader", "drop role data_reader")


def by_table(found: tuple[TableComparison, ...]) -> dict[str, TableComparison]:
    return {one.table: one for one in found}


@pytest.mark.parametrize("denied", [["target"], ["source"], ["source", "target"]], ids=["target", "source", "both"])
def test_a_table_without_privilege_stops_no_other(databases: Any, reader: str, denied: list[str]) -> None:
    """5.4: both sides failing is not agreement."""
    databases.both(
        "create table a (id int primary key)", "create table b (id int primary key)", "insert into b values (1)",
        "create table c (id int primary key)", "insert into c values (1)", "grant select on a, b, c to data_reader",
    )  # fmt: skip
    for side in denied:
        getattr(databases, side).execute("revoke select on b from data_reader")

    found = databases.compare(user=reader)

    verdicts = {table: one.verdict for table, one in by_table(found).items()}
    assert verdicts["public.b"] is Verdict.INCONCLUSIVE
    assert verdicts["public.c"] is Verdict.PASSED
    assert "permission denied for table b" in (by_table(found)["public.b"].reason or "")
    assert verdict_of(found) is Verdict.INCONCLUSIVE


def test_select_on_some_columns_is_not_enough(databases: Any, reader: str) -> None:
    databases.both("create table t (id int primary key, secret text)", "grant select (id) on t to data_reader")

    found = databases.compare_one(user=reader)

    assert found.verdict is Verdict.INCONCLUSIVE


def test_a_role_that_may_only_select_is_enough(databases: Any, reader: str) -> None:
    databases.both(
        "create table t (id int primary key, v text)",
        "insert into t values (1, 'a')",
        "grant select on t to data_reader",
    )
    databases.target.execute("update t set v = 'b'")

    found = databases.compare_one(user=reader)

    assert [(row.key, row.columns) for row in found.changed] == [(("1",), ("v",))]


def test_rows_hidden_by_a_policy_are_never_called_equal(databases: Any, reader: str) -> None:
    databases.both(
        "create table t (id int primary key)", "insert into t values (1), (2)", "grant select on t to data_reader"
    )
    databases.target.execute("alter table t enable row level security")
    databases.target.execute("create policy partial_view on t using (id = 1)")

    found = databases.compare_one(user=reader)

    assert found.verdict is Verdict.INCONCLUSIVE
    assert "row-level security" in (found.reason or "")


def test_an_absent_table_that_can_not_be_counted_still_fails(databases: Any, reader: str) -> None:
    databases.source.execute("create table t (id int)")

    found = databases.compare_one(user=reader)

    assert (found.verdict, found.source_rows) == (Verdict.FAILED, None)
    assert "the target has no such table, and its rows could not be counted" in (found.reason or "")


def test_a_value_that_breaks_a_conversion_is_not_told(databases: Any) -> None:
    databases.source.execute("create table t (id int primary key, doc json)")
    databases.target.execute("create table t (id int primary key, doc jsonb)")
    databases.both("create table u (id int primary key)", "insert into u values (1)")
    databases.source.execute("""insert into t values (1, '{"hidden-value": "\\u0000"}')""")

    found = by_table(databases.compare())

    assert found["public.t"].verdict is Verdict.INCONCLUSIVE
    assert "SQLSTATE 22P05" in (found["public.t"].reason or "")
    assert "hidden" not in repr(found["public.t"])
    assert found["public.u"].verdict is Verdict.PASSED


def test_values_are_not_in_the_result(databases: Any) -> None:
    databases.both("create table t (id int primary key, v text)", "create table u (v text)")
    databases.source.execute("insert into t values (1, 'hidden-source')")
    databases.target.execute("insert into t values (1, 'hidden-target')")
    databases.source.execute("insert into u values ('hidden-row')")

    found = databases.compare()

    assert verdict_of(found) is Verdict.FAILED
    assert "hidden" not in repr(found)


@pytest.mark.parametrize("side", [0, 1], ids=["source", "target"])
def test_a_lost_server_ends_the_comparison_with_what_had_been_compared(databases: Any, side: int) -> None:
    databases.both("create table a (id int)", "create table b (id int)", "insert into b values (1)")
    databases.source.execute("insert into a values (1)")

    with ExitStack() as stack:
        sides = databases.sides(stack)
        pid = sides[side].snapshot.connection.info.backend_pid
        writer = (databases.source, databases.target)[side]

        def kill(progress: Progress) -> None:
            if progress.table == "public.b":
                writer.execute("select pg_terminate_backend(%s, 5000)", [pid])

        a, b = compare(*sides, on_progress=kill)

    assert (a.verdict, a.is_stopped) == (Verdict.FAILED, False)
    assert (b.verdict, b.is_stopped) == (Verdict.INCONCLUSIVE, True)
    assert "not compared: the connection to" in (b.reason or "")


def test_the_other_side_is_stopped_when_one_is_lost(databases: Any) -> None:
    """A side that waits for a lock would otherwise wait for as long as the lock is held."""
    databases.both("create table a (id int primary key)", "insert into a values (1)")

    with ExitStack() as stack:
        source, target = databases.sides(stack)
        databases.both("begin", "lock table a in access exclusive mode")
        with ThreadPoolExecutor() as pool:
            comparison = pool.submit(compare, source, target)
            wait_for_lock(databases.source, source.snapshot.connection.info.backend_pid)
            wait_for_lock(databases.target, target.snapshot.connection.info.backend_pid)
            databases.target.execute("select pg_terminate_backend(%s)", [target.snapshot.connection.info.backend_pid])
            [found] = comparison.result(timeout=20)
        still_locked = databases.source.execute("select count(*) from pg_locks where mode = 'AccessExclusiveLock'")
        databases.both("rollback")

        assert found.is_stopped
        assert "was lost" in (found.reason or "")
        assert still_locked.fetchone() == (1,)
        assert source.snapshot.connection.info.transaction_status is TransactionStatus.INTRANS


def wait_for_lock(observer: Connection, pid: int) -> None:
    """Return once the backend waits for a lock."""
    deadline = monotonic() + 20
    while observer.execute("select from pg_locks where pid = %s and not granted", [pid]).fetchone() is None:
        assert monotonic() < deadline
        threading.Event().wait(0.01)
