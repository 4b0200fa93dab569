"""However a table is cut, what is found is the same."""

import pickle
import tracemalloc
from contextlib import ExitStack
from typing import Any

import pytest

from trueup.parity.data import (
    Bounds,
    TableComparison,
    agreed_rules,
    compare_segment,
    lockstep,
    merged,
    pair_tables,
    segments,
)
from trueup.parity.data.hashing import grid as grids
from trueup.parity.data.hashing import passes
from trueup.parity.data.reading import survey, tablepass

KEYS = {
    "integer": ("id bigint primary key", "(i * 37) % 3001 - 1500"),
    "text": ("id text primary key", "'k' || i"),
    "composite": ("id int, sub uuid, primary key (id, sub)", "i % 7, md5(i::text)::uuid"),
    "none": ("id bigint", "i"),
}
EDITS = (
    "update t set name = 'other' where n in (5, 700, 2999)",
    "delete from t where n in (1, 1500)",
    "insert into t select {} from generate_series(5001, 5001) i",
)


def fill(databases: Any, key: str) -> None:
    columns, value = KEYS[key]
    row = f"{value}, i, 'name ' || i"
    databases.both(
        f"create table t ({columns.replace(', primary', ', n int, name text, primary')}"
        + (")" if "primary key (" in columns else ", n int, name text)"),
        f"insert into t select {row} from generate_series(1, 3000) i",
    )
    for edit in EDITS:
        databases.target.execute(edit.format(row.replace("(i * 37) % 3001 - 1500", "i")))


def in_segments(databases: Any, segment_bytes: int) -> list[TableComparison]:
    """Compare the one table there is, each segment after a journey."""
    with ExitStack() as stack:
        source, target = databases.sides(stack)
        both = stack.enter_context(lockstep(source.snapshot, target.snapshot))
        [pair] = pair_tables(source.catalog, target.catalog, rules=agreed_rules(both))
        sent = [pickle.loads(pickle.dumps(one)) for one in segments(both, pair, segment_bytes=segment_bytes)]
        return [compare_segment(both, one, max_rows=100) for one in sent]


def essence(found: TableComparison) -> Any:
    counts = (found.source_rows, found.target_rows, found.missing_count, found.extra_count, found.changed_count)
    lists = (sorted(found.missing), sorted(found.extra), sorted((row.key, row.columns) for row in found.changed))
    return counts, lists if found.key else None, found.verdict, found.key


@pytest.mark.parametrize("key", KEYS)
def test_segments_together_say_what_the_whole_says(databases: Any, key: str) -> None:
    fill(databases, key)

    parts = in_segments(databases, 20_000)
    whole = databases.compare_one()

    assert (len(parts) > 4) is (key != "none")
    assert essence(merged(parts, max_rows=100)) == essence(whole)
    assert (whole.source_rows, whole.target_rows) == (3_000, 2_999)
    assert (whole.missing_count, whole.extra_count) == ((5, 4) if key == "none" else (2, 1))


@pytest.mark.parametrize("key", KEYS)
def test_a_full_bucket_at_the_edge_of_a_segment_is_cut_within_it(
    databases: Any, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tablepass, "MOST_ROWS_HELD", 3)
    monkeypatch.setattr(grids, "FEWEST", 1)
    monkeypatch.setattr(survey, "FEWEST", 1)
    fill(databases, key)

    parts = in_segments(databases, 20_000)

    assert (len(parts) > 4) is (key != "none")
    assert essence(merged(parts, max_rows=100)) == essence(databases.compare_one())


@pytest.mark.parametrize("key", KEYS)
def test_a_table_of_many_differences_is_read_by_rows_at_once(
    databases: Any, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(databases, key)
    databases.target.execute("update t set name = 'x' || name where n % 10 = 3")
    databases.target.execute("delete from t where n % 10 = 4")
    sparse = databases.compare_one(bounds=Bounds(max_rows=5_000))
    seen = []
    monkeypatch.setattr(survey, "SMALL_BYTES", 0)
    gather_all = tablepass.TablePass._gather_all
    monkeypatch.setattr(tablepass.TablePass, "_gather_all", lambda *args: seen.append(1) or gather_all(*args))

    dense = databases.compare_one(bounds=Bounds(max_rows=5_000))

    assert essence(dense) == essence(sparse)
    assert len(seen) == (0 if key == "none" else 1)


def test_few_differences_are_looked_for_by_sums(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of so few rows the sample is a large part: it may hold every row that differs."""
    monkeypatch.setattr(survey, "SMALL_BYTES", 0)
    monkeypatch.setattr(survey, "DENSE_FROM", 10)
    monkeypatch.setattr(tablepass.TablePass, "_gather_all", None)
    fill(databases, "integer")
    databases.target.execute("update t set name = 'other' where n in (5, 700)")

    assert databases.compare_one().changed_count == 3


@pytest.mark.parametrize("places", ["16to18"], indirect=True)
def test_a_full_bucket_of_hashes_is_cut_again(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tablepass, "MOST_ROWS_HELD", 20)
    monkeypatch.setattr(grids, "FEWEST", 1)
    fill(databases, "text")

    found = databases.compare_one()

    assert (found.missing_count, found.extra_count, found.changed_count) == (2, 1, 3)


@pytest.mark.parametrize("places", ["16to18"], indirect=True)
def test_crowded_keys_give_even_buckets(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut between the least and the greatest key, all rows but one would share a bucket."""
    monkeypatch.setattr(survey, "SMALL_BYTES", 0)
    databases.both("create table t (id bigint primary key)")
    databases.both("insert into t select i from generate_series(1, 20000) i union all select 9e18::bigint")

    with ExitStack() as stack:
        source, target = databases.sides(stack)
        both = stack.enter_context(lockstep(source.snapshot, target.snapshot))
        [pair] = pair_tables(source.catalog, target.catalog)
        grid = survey.survey(both, pair, salt=1).grid
        rows = [count for _, count, _ in source.snapshot.rows(passes.checksums(pair.source, grid, 1))]

    assert max(rows) < 8 * sum(rows) / grids.FEWEST


@pytest.mark.parametrize("key", KEYS)
def test_a_paranoid_comparison_finds_the_same(databases: Any, key: str) -> None:
    fill(databases, key)

    assert essence(databases.compare_one(is_paranoid=True)) == essence(databases.compare_one())


@pytest.mark.parametrize("places", ["16to18"], indirect=True)
def test_memory_does_not_grow_with_the_table(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held as keys and hashes, 30,000 rows more of both sides would take some 8 MB."""
    monkeypatch.setattr(survey, "SMALL_BYTES", 0)
    monkeypatch.setattr(survey, "DENSE_BUCKET_BYTES", 40_000)
    peaks = []
    for rows in (10_000, 40_000):
        databases.both(
            "drop table if exists t",
            "create table t (id bigint primary key, n int)",
            f"insert into t select i, i from generate_series(1, {rows}) i",
        )
        databases.target.execute("update t set n = -n")
        tracemalloc.start()
        found = databases.compare_one(bounds=Bounds(max_rows=100))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert found.changed_count == rows

    assert peaks[1] < peaks[0] + 2_000_000
