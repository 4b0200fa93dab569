"""Somebody writes to the source without a pause: no difference is invented, and none that is there is lost."""

import random
from collections.abc import Iterator

import pytest
from tests.integration.parity.data.moving.replicas import HOT, LOGICAL, Replica, copied, planted, replicated

from trueup.db import connect
from trueup.parity.data import Recheck
from trueup.parity.data.moving import recheck
from trueup.report.model import Verdict
from trueup.servers import EmbeddedServer
from trueup.settings import Settings
from trueup.verify.following import Following, Pursuit, Round
from trueup.verify.pair import open_pair

QUICK = Recheck(seconds=0.001, rounds=3)
RUNS = [2, pytest.param(100, marks=pytest.mark.long)]
SEED = 20261123


@pytest.fixture(scope="module")
def publishing() -> Iterator[EmbeddedServer]:
    with EmbeddedServer(16, cache_folder=Settings.load().cache_folder, configuration=LOGICAL) as server:
        yield server


@pytest.fixture(scope="module")
def subscribing() -> Iterator[EmbeddedServer]:
    with EmbeddedServer(18, cache_folder=Settings.load().cache_folder, configuration=LOGICAL) as server:
        yield server


def find_plants(replica: Replica, runs: int) -> tuple[int, int]:
    """Plant other rows in each run, and hold what is found against them; whatever else differs has to be moving.

    Returns how many rows settled, and how many never came to rest, in all runs together.
    """
    choose = random.Random(SEED)
    settled = moving = 0
    with connect(replica.target) as target:
        for run in range(runs):
            with planted(target, choose) as plants:
                found = replica.compare(QUICK)
            different = (
                {key for (key,) in found.missing},
                {key for (key,) in found.extra},
                {row.key[0] for row in found.changed},
            )
            assert different == (plants.missing, plants.extra, plants.changed), f"run {run}"
            assert {int(key or 0) for (key,) in found.moving} <= set(range(1, HOT + 1)), f"run {run}"
            assert found.verdict is (
                Verdict.FAILED if any(different) else Verdict.INCONCLUSIVE if found.moving else Verdict.PASSED
            )
            settled, moving = settled + found.settled_count, moving + found.moving_count
    return settled, moving


@pytest.mark.parametrize("runs", RUNS)
def test_a_replica_by_logical_replication(publishing: EmbeddedServer, subscribing: EmbeddedServer, runs: int) -> None:
    with replicated(publishing, subscribing, SEED) as replica:
        settled, moving = find_plants(replica, runs)

    assert settled + moving or runs < 100, "nothing was on its way in any run, so that nothing was proved"


@pytest.mark.parametrize("runs", RUNS)
def test_a_copy_that_is_written_to_a_little_later(
    server16: EmbeddedServer,
    server18: EmbeddedServer,
    runs: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with copied(server16, server18, SEED) as (replica, follower):
        monkeypatch.setattr(recheck, "pause", follower.catch_up)
        settled, moving = find_plants(replica, runs)

    assert settled + moving or runs < 100, "nothing was on its way in any run, so that nothing was proved"


def test_a_row_that_is_kept_on_its_way_is_moving_however_long_it_stays_the_same(
    publishing: EmbeddedServer, subscribing: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The subscription waits for a lock, so that the fence is never passed; after it the row has settled."""
    monkeypatch.setattr(recheck, "PATIENCE_S", 0.1)
    with (
        replicated(publishing, subscribing, SEED) as replica,
        connect(replica.source) as source,
        connect(replica.target) as blocker,
    ):
        with blocker.transaction():
            blocker.execute("lock table t in share mode")
            source.execute("update t set name = 'new' where id = %s", [HOT + 1])
            held_up = replica.compare(QUICK)
        monkeypatch.setattr(recheck, "PATIENCE_S", 60)
        later = replica.compare(QUICK)

    assert (held_up.verdict, held_up.differing) == (Verdict.INCONCLUSIVE, 0)
    assert (str(HOT + 1),) in held_up.moving
    assert held_up.reason == "the target never caught up with replication slot moving"
    assert later.differing == 0
    assert (str(HOT + 1),) not in later.moving


def test_the_target_is_followed_until_the_writer_has_ended(
    publishing: EmbeddedServer, subscribing: EmbeddedServer
) -> None:
    rounds: list[Round] = []
    with replicated(publishing, subscribing, SEED) as replica:
        followed = Following(
            lambda: open_pair(replica.source, replica.target), Pursuit(tables=("public.t",), every_s=0.01)
        )

        def hear(one: Round) -> None:
            rounds.append(one)
            replica.quiet.set()

        followed.run(hear)
        with connect(replica.source) as source, connect(replica.target) as target:
            rows = [side.execute("select * from t order by id").fetchall() for side in (source, target)]

    assert rows[0] == rows[1]
    assert followed.section.verdict is Verdict.PASSED
    assert followed.zero
    assert followed.zero.lag_bytes is not None
    assert (rounds[-1].is_full, rounds[-1].differing) == (True, {})
