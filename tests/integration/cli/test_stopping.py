"""Whatever stops `trueup data diff`, in whatever phase: it says what it had compared, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from trueup.cli.exits import ExitCode
from trueup.conninfo import ConnInfo
from trueup.servers import EmbeddedServer
from trueup.testing.faults import Proxy

DEADLINE_S = 40
PHASES = {
    "connect": b"application_name",
    "structure": b"pg_class",
    "checksum": b'"b" as t  offset',
    "drill": b"string_agg(int8send",
    "rows": b"trueup key",
}
"""What a client sends in each; the last two for the table alone that differs."""
SIDES = ("source", "target")


@pytest.fixture
def wires(databases: Any) -> Iterator[dict[str, Proxy]]:
    """Fill both databases, of which `b` differs; return a wire to each."""
    for name in "abc":
        databases.run(f"create table {name} (id int primary key, v text)")
        databases.run(f"insert into {name} select i, 'v' from generate_series(1, 50) i")
    databases.run_on(databases.target, "update b set v = 'other' where id = 7")
    with Proxy(databases.source) as source, Proxy(databases.target) as target:
        yield {"source": source, "target": target}


def backends(database: ConnInfo) -> int:
    """Return how many sessions there are in a database."""
    text = make_conninfo(database.reveal(), dbname="postgres")
    with psycopg.connect(text, autocommit=True) as observer:
        query = "select count(*) from pg_stat_activity where datname = %s"
        [(found,)] = observer.execute(query, [database.parameters["dbname"]]).fetchall()
    return int(found)


def wait_until(claim: Any) -> None:
    limit = time.monotonic() + DEADLINE_S
    while not claim():
        assert time.monotonic() < limit, "not within the deadline"
        threading.Event().wait(0.02)


def nobody_left(databases: Any) -> bool:
    return backends(databases.source) == backends(databases.target) == 0


def by_table(said: Any) -> dict[str, Any]:
    return {one["table"].removeprefix("public."): one for one in said.get("tables", [])}


def assert_b_was_stopped(said: Any) -> None:
    tables = by_table(said)
    assert said["verdict"] == "inconclusive"
    assert (tables["a"]["verdict"], tables["a"]["stopped"], tables["a"]["source_rows"]) == ("passed", False, 50)
    assert (tables["b"]["verdict"], tables["b"]["stopped"]) == ("inconclusive", True)
    assert (tables["c"]["verdict"], tables["c"]["stopped"]) == ("inconclusive", True)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("phase", PHASES)
def test_a_wire_that_is_cut_leaves_what_was_compared(
    databases: Any, wires: dict[str, Proxy], trueup: Any, phase: str, side: str
) -> None:
    wires[side].on(PHASES[phase], "cut before")

    outcome = trueup("data", "diff", wires["source"].conninfo, wires["target"].conninfo, "--json")

    assert wires[side].pending == ()
    assert outcome.code == ExitCode.UNVERIFIED
    if phase in {"connect", "structure"}:
        assert outcome.json["verdict"] == "inconclusive"
    else:
        assert_b_was_stopped(outcome.json)
        assert "was lost" in by_table(outcome.json)["b"]["reason"]
    wait_until(lambda: nobody_left(databases))


def test_what_was_stopped_is_inconclusive_whatever_it_had_found(
    databases: Any, wires: dict[str, Proxy], trueup: Any
) -> None:
    databases.run_on(databases.target, "delete from a where id = 5")
    wires["source"].on(PHASES["checksum"], "cut before")

    outcome = trueup("data", "diff", wires["source"].conninfo, wires["target"].conninfo, "--json")

    assert (outcome.code, outcome.json["verdict"]) == (ExitCode.UNVERIFIED, "inconclusive")
    assert (by_table(outcome.json)["a"]["verdict"], by_table(outcome.json)["a"]["missing"]) == ("failed", [["5"]])


@pytest.mark.parametrize("phase", PHASES)
def test_the_user_who_interrupts_is_told_what_was_compared(
    databases: Any, wires: dict[str, Proxy], trueup: Any, phase: str
) -> None:
    wires["target"].before(PHASES[phase], lambda: os.kill(os.getpid(), signal.SIGINT))

    outcome = trueup("data", "diff", wires["source"].conninfo, wires["target"].conninfo, "--json")

    assert outcome.code == ExitCode.INTERRUPTED
    if phase in {"connect", "structure"}:
        assert (outcome.json["verdict"], outcome.json["tables"]) == ("inconclusive", [])
        assert outcome.json["findings"][0]["message"] == "it was interrupted before any table was compared"
    else:
        # What was under way may have ended well before it was stopped.
        tables = by_table(outcome.json)
        assert (tables["a"]["verdict"], tables["a"]["stopped"]) == ("passed", False)
        assert (tables["b"]["verdict"], tables["b"]["stopped"]) in {("inconclusive", True), ("failed", False)}
        assert tables["c"]["reason"] == "not compared: it was interrupted"
    wait_until(lambda: nobody_left(databases))


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)],
    ids=lambda one: getattr(one, "name", ""),
)
def test_a_killed_command_leaves_no_statement_behind(
    databases: Any, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    databases.run("create table a (id int primary key); create table b (id int primary key)")
    databases.run("insert into a values (1); insert into b values (1)")
    places = databases.source.reveal(), databases.target.reveal()
    words = ["data", "diff", *places, "--json", "--where", "public.b:pg_sleep(300) is null"]

    with subprocess.Popen(
        [sys.executable, "-m", "trueup", *words], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until(lambda: all(map(asleep, places)))
            process.send_signal(number)
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    wait_until(lambda: nobody_left(databases))

    assert process.returncode == code
    if code == ExitCode.INTERRUPTED:
        tables = by_table(json.loads(out))
        assert (tables["a"]["verdict"], tables["b"]["stopped"]) == ("passed", True)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGKILL, -signal.SIGKILL), pytest.param(signal.SIGTERM, ExitCode.INTERRUPTED, marks=pytest.mark.long)],
    ids=lambda one: getattr(one, "name", ""),
)
def test_a_command_killed_in_any_phase_leaves_nobody_behind(
    databases: Any, wires: dict[str, Proxy], tmp_path: Path, phase: str, number: signal.Signals, code: int
) -> None:
    words = ["data", "diff", wires["source"].conninfo.reveal(), wires["target"].conninfo.reveal(), "--json"]
    started: list[subprocess.Popen[bytes]] = []
    wires["target"].before(PHASES[phase], lambda: started[0].send_signal(number))

    started.append(
        subprocess.Popen(
            [sys.executable, "-m", "trueup", *words],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    )
    ended = started[0].wait(timeout=60)

    assert wires["target"].pending == ()
    assert ended == code
    wait_until(lambda: nobody_left(databases))


def asleep(place: str) -> bool:
    """Return whether a statement sleeps in the database."""
    with psycopg.connect(place, autocommit=True) as observer:
        query = "select from pg_stat_activity where datname = %s and wait_event = 'PgSleep'"
        return observer.execute(query, [observer.info.dbname]).fetchone() is not None


@pytest.mark.parametrize("end", ["cut", "SIGKILL"])
def test_state_goes_on_where_an_earlier_run_ended(
    databases: Any, wires: dict[str, Proxy], trueup: Any, end: str
) -> None:
    places = wires["source"].conninfo, wires["target"].conninfo
    if end == "cut":
        wires["source"].on(PHASES["drill"], "cut before")
        assert trueup("data", "diff", *places, "--state", "state").code == ExitCode.UNVERIFIED
    else:
        assert killed_at(wires["source"], PHASES["drill"], *places, "--state", "state") == -signal.SIGKILL
    wires["source"].on(b'"public"."a"', "cut before")

    outcome = trueup("data", "diff", *places, "--json", "--state", "state")

    assert len(wires["source"].pending) == 1, "what had been compared is not read again"
    assert outcome.code == ExitCode.FAILED
    assert [(name, one["verdict"]) for name, one in by_table(outcome.json).items()] == [
        ("a", "passed"), ("b", "failed"), ("c", "passed")
    ]  # fmt: skip
    assert by_table(outcome.json)["b"]["changed"] == [{"key": ["7"], "columns": ["v"], "representation": False}]
    assert {name: outcome.json["resumed"][name] for name in ("parts", "runs", "of_one_moment")} == {
        "parts": 1, "runs": 2, "of_one_moment": True
    }  # fmt: skip
    assert not Path("state").exists()


def killed_at(wire: Proxy, phase: bytes, *words: Any) -> int:
    """Kill the command when it sends these bytes; return its exit code."""
    texts = [word.reveal() if isinstance(word, ConnInfo) else word for word in words]
    begun = threading.Event()
    with subprocess.Popen(
        [sys.executable, "-m", "trueup", "data", "diff", *texts], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:

        def kill() -> None:
            begun.wait(DEADLINE_S)
            process.kill()
            process.wait(DEADLINE_S)

        wire.before(phase, kill)
        begun.set()
        return process.wait(DEADLINE_S)


def test_resumed_comparison_of_databases_that_were_written_to_never_passes(
    databases: Any, wires: dict[str, Proxy], trueup: Any
) -> None:
    databases.run_on(databases.target, "update b set v = 'v' where id = 7")
    words = ("data", "diff", wires["source"].conninfo, wires["target"].conninfo, "--state", "state")
    wires["source"].on(PHASES["checksum"], "cut before")
    trueup(*words)
    databases.run("insert into a values (1000, 'new')")

    outcome = trueup(*words)

    assert outcome.code == ExitCode.UNVERIFIED
    assert "resumed: 1 table or parts of tables had been compared since" in outcome.out
    assert "somebody has written to one of the servers" in outcome.out


def test_resumed_comparison_that_nobody_disturbed_passes_and_says_so(
    databases: Any, wires: dict[str, Proxy], trueup: Any
) -> None:
    databases.run_on(databases.target, "update b set v = 'v' where id = 7")
    words = ("data", "diff", wires["source"].conninfo, wires["target"].conninfo, "--state", "state")
    wires["source"].on(PHASES["checksum"], "cut before")
    trueup(*words)

    outcome = trueup(*words)

    assert outcome.code == ExitCode.PASSED
    assert "nobody has written to either server since then" in outcome.out


def test_state_of_other_databases_is_refused(databases: Any, wires: dict[str, Proxy], trueup: Any) -> None:
    wires["source"].on(PHASES["drill"], "cut before")
    trueup("data", "diff", wires["source"].conninfo, wires["target"].conninfo, "--state", "state")

    outcome = trueup("data", "diff", databases.target, databases.source, "--state", "state")

    assert outcome.code == ExitCode.REFUSED
    assert "is the state of another comparison: its source was" in outcome.err


@pytest.fixture(scope="module")
def mortal(cache_folder: Path) -> Iterator[EmbeddedServer]:
    """Return a server that no other test needs."""
    with EmbeddedServer(18, cache_folder=cache_folder) as server:
        yield server


@pytest.mark.parametrize("phase", ["structure", "checksum", "rows"])
def test_a_server_that_dies_leaves_what_was_compared(
    databases: Any, wires: dict[str, Proxy], mortal: EmbeddedServer, trueup: Any, phase: str
) -> None:
    target = mortal.create_database(f"mortal_{phase}_{uuid4().hex}")
    for table in "abc":
        databases.run_on(target, f"create table {table} (id int primary key, v text)")
        databases.run_on(target, f"insert into {table} select i, 'v' || i / 50 from generate_series(1, 50) i")
    databases.run_on(target, "checkpoint")  # Embedded servers lose their last commits where they die.
    databases.run("update a set v = 'v' || id / 50; update c set v = 'v' || id / 50")
    words = ("data", "diff", wires["source"].conninfo, target, "--json", "--state", "state")
    wires["source"].before(PHASES[phase], lambda: mortal.stop("immediate"))

    died = trueup(*words)
    mortal.start()
    again = trueup(*words)

    assert died.code == ExitCode.UNVERIFIED
    if phase != "structure":
        assert_b_was_stopped(died.json)
    wait_until(lambda: backends(databases.source) == 0)
    assert again.code == ExitCode.FAILED
    assert by_table(again.json)["b"]["counts"]["changed"] == 50
