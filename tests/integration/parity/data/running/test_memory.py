"""Memory does not grow with the rows, nor with those that differ beyond those that are listed."""

import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.parity.data import Bounds
from trueup.parity.data.limits import bounds
from trueup.servers import EmbeddedServer

segments = import_module("trueup.parity.data.reading.segments")
"""The package has a function of that name."""
WIDEST_MB = 100
SIZES = (5_000_000, 20_000_000)


@pytest.mark.parametrize("places", ["16to18"], indirect=True)
@pytest.mark.parametrize(("differing", "max_seconds"), [("n % 10000 = 7", 1000), ("true", None)], ids=["few", "all"])
def test_it_is_the_same_for_four_times_as_many_rows(
    databases: Any, differing: str, max_seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held as keys and hashes, 60,000 rows more of both sides would take some 15 MB."""
    monkeypatch.setattr(bounds, "SEGMENT_BYTES", 500_000)
    monkeypatch.setattr(segments, "PAGES_SAMPLED", 32)
    peaks = []
    for rows in (20_000, 80_000):
        databases.both(
            "drop table if exists t",
            "create table t (id bigint primary key, n int)",
            f"insert into t select i, i from generate_series(1, {rows}) i",
        )
        databases.target.execute(f"update t set n = -n where {differing}")
        tracemalloc.start()
        found = databases.compare_one(bounds=Bounds(max_rows=100, max_seconds=max_seconds))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert found.changed_count == (rows if differing == "true" else -(-rows // 10_000))
        assert len(found.changed) == min(found.changed_count, 100)

    assert peaks[1] < peaks[0] + 4_000_000


@pytest.fixture
def large(server16: EmbeddedServer, server18: EmbeddedServer) -> Iterator[tuple[ConnInfo, ConnInfo]]:
    """Return two databases that are emptied of much."""
    servers = (server16, server18)
    yield servers[0].create_database("large_rows"), servers[1].create_database("large_rows")
    for server in servers:
        server.drop_database("large_rows")


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_twenty_million_rows_take_four_times_as_long_as_five_and_no_more_memory(
    large: tuple[ConnInfo, ConnInfo], tmp_path: Path
) -> None:
    """A whole process of the command, with half of all rows different."""
    seconds, peaks = [], []
    for rows in SIZES:
        for place in large:
            with connect(place) as connection:
                connection.execute("drop table if exists t")
                connection.execute("create table t (id bigint primary key, n int)")
                connection.execute(f"insert into t select i, i from generate_series(1, {rows}) i".encode())
                connection.execute("vacuum analyze t")
        with connect(large[1]) as connection:
            connection.execute("update t set n = -1 where id % 2 = 0")
        started = perf_counter()
        found, peak_mb = command(large, tmp_path)
        seconds.append(perf_counter() - started)
        peaks.append(peak_mb)
        assert found["counts"]["changed"] == rows // 2
        assert (found["source_rows"], len(found["changed"])) == (rows, 1000)

    assert seconds[1] < 1.5 * SIZES[1] / SIZES[0] * seconds[0], f"{seconds} s"
    assert peaks[1] < WIDEST_MB, f"{peaks} MB"


def command(places: tuple[ConnInfo, ConnInfo], folder: Path) -> tuple[Any, float]:
    """Run the command; return what it says of the one table, and the most memory it had, in MB."""
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "trueup", "data", "diff", *(place.reveal() for place in places), "--json"],
            stdout=out,
            cwd=folder,
        )
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    [found] = json.loads((folder / "out").read_bytes())["tables"]
    return found, usage.ru_maxrss / 1024
