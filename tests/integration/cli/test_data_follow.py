"""`trueup data follow` says in lines and in its exit code how the difference went."""

import signal
import subprocess
import sys
from threading import Event
from typing import Any

import pytest

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.verify import following

TABLE = "create table t (id int primary key, n int); insert into t select i, i from generate_series(1, 9) i"


@pytest.fixture
def pair(databases: Any) -> tuple[ConnInfo, ConnInfo]:
    databases.run(TABLE)
    return databases.source, databases.target


def test_a_line_a_round_and_the_moment_at_last(trueup: Any, pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(pair[1]) as target:
        target.execute("update t set n = 0 where id = 3")
        monkeypatch.setattr(following, "pause", lambda _: target.execute("update t set n = 3 where id = 3"))

        outcome = trueup("data", "follow", *pair)

    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert [line.split("  ", 1)[1] for line in lines[:3]] == [
        "all rows     1 row differs: public.t 1",
        "those again  no row differs",
        "all rows     no row differs",
    ]
    assert lines[-1].startswith("No row differed at 20")


def test_json_tells_the_rounds_and_the_moment(trueup: Any, pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(pair[1]) as target:
        target.execute("update t set n = 0 where id = 3")
        monkeypatch.setattr(following, "pause", lambda _: target.execute("update t set n = 3 where id = 3"))

        found = trueup("data", "follow", *pair, "--json").json

    assert (found["verdict"], found["reason"]) == ("passed", None)
    assert found["zero"].keys() == {"source_at", "target_at", "lag_bytes"}
    assert [(one["full"], one["differing"]) for one in found["rounds"]] == [
        (True, {"public.t": 1}),
        (False, {}),
        (True, {}),
    ]
    assert [table["verdict"] for table in found["tables"]] == ["passed"]


def test_time_that_is_up_is_a_difference(trueup: Any, pair: Any) -> None:
    with connect(pair[1]) as target:
        target.execute("update t set n = 0 where id = 3")

    outcome = trueup("data", "follow", *pair, "--until", "0.5", "--every", "0.01")

    assert outcome.code in {1, 3}  # 3 where the machine was too busy to read all rows once
    assert "It ended because " in outcome.out


def test_a_sample_that_agrees_is_not_green(trueup: Any, pair: Any) -> None:
    outcome = trueup("data", "follow", *pair, "--sample", "100%")

    assert outcome.code == 3
    assert "this is a sample" in outcome.out


def test_ctrl_c_ends_it_with_what_was_seen_and_leaves_nothing_on_the_servers(pair: Any) -> None:
    with connect(pair[1]) as target:
        target.execute("update t set n = 0 where id = 3")
    process = subprocess.Popen(
        [sys.executable, "-m", "trueup", "data", "follow", *(place.reveal() for place in pair)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    first = process.stdout.readline()

    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)

    assert "1 row differs: public.t 1" in first
    assert process.returncode == 130
    assert "1 row differs: it was interrupted" in rest
    for place in pair:
        with connect(place) as connection:
            await_nobody_else(connection)


def await_nobody_else(connection: Any) -> None:
    """Wait until no other session is on this database: one that was just closed takes a moment to go."""
    others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    for _ in range(2000):
        if connection.execute(others).fetchone() == (0,):
            return
        Event().wait(0.01)
    raise AssertionError("a session is left")
