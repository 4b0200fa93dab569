"""Connections that are cut at COMMIT, by the thousand: each write is stored once, none twice, none not at all."""

import itertools
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic

import pytest
from tests.integration.db.conftest import Observer

from trueup.db import Database
from trueup.errors import Disconnected, Outcome
from trueup.servers import EmbeddedServer
from trueup.testing.faults import Action, Proxy

logger = logging.getLogger(__name__)

OpenDb = Callable[..., Database]
BATCH = 500
"""How many connections one wire and one pool are cut of before they are replaced."""
INSERT = "insert into ledger values (%s)"
CUTS: tuple[Action, ...] = ("cut before", "cut behind")


def store_by_run(db: Database, number: int) -> None:
    db.run(lambda tx: tx.execute(INSERT, [number]), attempts=50)


def store_by_transaction(db: Database, number: int) -> None:
    """Do as a caller does who repeats what was rolled back, and nothing else."""
    for _ in range(50):
        try:
            with db.transaction() as tx:
                tx.execute(INSERT, [number])
        except Disconnected as lost:
            if lost.outcome is not Outcome.ROLLED_BACK:
                raise
        else:
            return
    raise AssertionError("lost 50 times")


def write_and_cut(
    db: Database, wire: Proxy, numbers: Iterator[int], done: Counter[str], dice: random.Random, *, goal: int
) -> None:
    while done["cuts"] < goal:
        done["cuts"] += 1
        action = dice.choice(CUTS)
        wire.on(b"commit", action)
        done[action] += 1
        dice.choice((store_by_run, store_by_transaction))(db, next(numbers))


@pytest.mark.parametrize("cuts", [300, pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(1800)])])
def test_cuts_at_commit_store_nothing_twice_and_lose_nothing(
    open_db: OpenDb, observer: Observer, own_server: EmbeddedServer, cuts: int
) -> None:
    """W-R21: a COMMIT whose answer is lost is neither believed nor repeated, but asked about."""
    observer.run("create table ledger (n int not null)")
    numbers, done = itertools.count(), Counter[str]()
    started = monotonic()

    while done["cuts"] < cuts:
        with Proxy(own_server.conninfo()) as wire:
            db = open_db(wire, max_connections=3)
            write = partial(write_and_cut, db, wire, numbers, done, goal=min(cuts, done["cuts"] + BATCH))
            with ThreadPoolExecutor(4) as threads:
                for writer in [threads.submit(write, dice) for dice in (random.Random(n) for n in range(4))]:
                    writer.result()
            while wire.pending:
                store_by_run(db, next(numbers))
            done["connects"] += db.statistics().connects
            db.close(drain_s=1)

    logger.info("%s in %.0f s", dict(done), monotonic() - started)
    counts = dict(observer.rows("select n, count(*) from ledger group by n"))
    assert counts == dict.fromkeys(range(next(numbers)), 1)
    assert done["connects"] > done["cuts"], "each cut cost a connection"
