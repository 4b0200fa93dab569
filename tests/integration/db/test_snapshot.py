"""Several connections of a side see one moment, while others write."""

from contextlib import ExitStack
from threading import Event, Thread

import pytest

from trueup.conninfo import ConnInfo
from trueup.db import Snapshot, connect, snapshot
from trueup.errors import Unverifiable

CONTENT = "select count(*), sum(n) from public.t"


def write_until(ended: Event, started: Event, database: ConnInfo) -> None:
    with connect(database) as writer:
        while not ended.is_set():
            writer.execute("insert into t select max(n) + 1 from t")
            started.set()


def test_workers_of_a_snapshot_see_what_it_sees_while_others_write(database: ConnInfo) -> None:
    with connect(database) as setup:
        setup.execute("create table t (n int)")
        setup.execute("insert into t values (1)")
    ended, started = Event(), Event()
    writer = Thread(target=write_until, args=(ended, started, database))
    seen = []

    with ExitStack() as stack:
        writer.start()
        stack.callback(writer.join)
        stack.callback(ended.set)
        assert started.wait(30)
        first: Snapshot = stack.enter_context(snapshot(database))
        [before] = first.rows(CONTENT)
        for _ in range(5):
            with snapshot(database, exported=first.exported) as worker:
                seen += worker.rows(CONTENT)
            with snapshot(database) as later:
                [after] = later.rows(CONTENT)

    assert seen == [before] * 5
    assert after > before


def test_snapshot_that_has_ended_can_not_be_joined(database: ConnInfo) -> None:
    with snapshot(database) as first:
        exported = first.exported

    with pytest.raises(Unverifiable, match="has ended"), snapshot(database, exported=exported):
        pass
