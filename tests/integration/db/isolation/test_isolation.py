"""What isolation levels promise holds through transaction() and run(), whatever breaks."""

import logging
from collections.abc import Callable
from time import monotonic

import pytest
from tests.integration.db.conftest import Observer, until
from tests.integration.db.isolation.breakage import Breakage
from tests.integration.db.isolation.checker import FORBIDDEN, Kind, check
from tests.integration.db.isolation.history import Told
from tests.integration.db.isolation.workload import Recorder, Workload, collect, prepare

from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.db.block import Isolation
from trueup.servers import EmbeddedServer
from trueup.testing.faults import Proxy

logger = logging.getLogger(__name__)

OpenDb = Callable[..., Database]
WORKING = """
    select pid from pg_stat_activity
    where application_name like 'svc:%' and datname = current_database() and state <> 'idle'
"""
"""Who may still change something."""
LONG = [pytest.mark.long, pytest.mark.timeout(1800)]
SHOWN: dict[Isolation, set[Kind]] = {
    "read committed": {Kind.G_SINGLE},
    "repeatable read": {Kind.G2_ITEM},
    "serializable": set(),
}
"""What a level allows, and the workload is dense enough to show: else it would prove nothing about the level above."""


@pytest.mark.parametrize("level", SHOWN)
@pytest.mark.parametrize("goal", [400, pytest.param(17_000, marks=LONG)])
def test_level_keeps_its_promise_while_things_break(
    open_db: OpenDb,
    observer: Observer,
    target: ConnInfo,
    own_server: EmbeddedServer,
    proxy: Proxy,
    level: Isolation,
    goal: int,
) -> None:
    """W-R21, W-R23: every committed write is stored once, every other one never, and reads fit together."""
    prepare(target, goal)
    recorder = Recorder()
    db = open_db(proxy, max_connections=4)
    started = monotonic()

    with Breakage(target, proxy, seed=goal, server=own_server, restart_every_s=1 if goal < 1000 else 20) as breakage:
        Workload(isolation=level).run(
            db,
            recorder,
            lambda: recorder.committed >= goal and recorder.endings["repeated"] and len(+breakage.done) == 3,
            seed=goal,
        )
    seconds = monotonic() - started
    db.close(drain_s=1)
    until(lambda: not observer.rows(WORKING), 20)
    history = collect(target, recorder)
    found = check(history)

    rate = history.count(Told.COMMITTED) / seconds
    logger.info("%s: %.0f a second, %s, %s", level, rate, dict(recorder.endings), dict(breakage.done))
    assert [anomaly for anomaly in found if anomaly.kind in FORBIDDEN[level]] == []
    assert {anomaly.kind for anomaly in found} >= SHOWN[level]
