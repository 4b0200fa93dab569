"""Segments are compared on a cluster, by two processes that share nothing with the one that asked."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from distributed import LocalCluster, utils
from tests.integration.parity.data.limits.test_bounds import essence, fill, locked

from trueup.parity.data import Bounds, compare, open_cluster
from trueup.parity.data.limits import bounds
from trueup.report.model import Verdict

pytestmark = pytest.mark.parametrize("places", ["16to18"], indirect=True)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ThreadPoolExecutor(1) as offloading, pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "_offload_executor", offloading)  # That of the package stays until the process ends.
        with LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.ERROR,
        ) as cluster:
            yield cluster.scheduler_address


def test_two_worker_processes_find_the_same(databases: Any, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "SEGMENT_BYTES", 40_000)
    fill(databases)
    expected = essence(databases.compare())

    with open_cluster(address) as cluster:
        found = databases.compare(bounds=Bounds(jobs=cluster.threads), executor=cluster.executor)

    assert cluster.threads == 2
    assert essence(found) == expected


def test_time_that_is_up_ends_the_statements_of_workers(databases: Any, address: str) -> None:
    # A key that the process that asks doesn't read itself, to cut the table into parts.
    databases.both("create table a (id text primary key)", "insert into a values (1)")

    with ExitStack() as stack:
        sides = databases.sides(stack)
        with locked(databases, "a"), open_cluster(address) as cluster:
            [found] = compare(*sides, executor=cluster.executor, bounds=Bounds(max_seconds=3))
            waiting = [
                one.execute("select count(*) from pg_locks where not granted").fetchone()
                for one in (databases.source, databases.target)
            ]

    assert (found.verdict, found.reason) == (Verdict.INCONCLUSIVE, "not compared: the 3 s that it had were up")
    assert waiting == [(0,), (0,)]
