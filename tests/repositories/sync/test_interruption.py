"""A sync that ends before its time leaves what it had committed, says so, and is taken up by the next one."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event
from time import monotonic

import pytest
from tests.repositories.crash import SYNCS
from tests.repositories.killing import check_all_or_nothing
from tests.repositories.sync.conftest import CLIENTS, RECORDS, SALON, SERVICES, STAFF, fixture, record
from tests.repositories.sync.salon_server import PARTNER, USER

from ai_admin.sync.errors import RunUnderWay

PROGRAM = Path(__file__).with_name("syncing.py")
RUNS = "select entity, status, error, finished_at is null from sync_runs where entity <> 'company' order by id"


def again(run):
    """Return what a run gives, once the server has noticed that the program before is gone."""
    deadline = monotonic() + 20
    while True:
        try:
            return run()
        except RunUnderWay:
            assert monotonic() < deadline
            Event().wait(0.02)


def test_kill_keeps_what_was_committed_and_the_next_run_does_the_rest(sync, salon, database, read):
    sync.sync_company()
    salon.lists[CLIENTS] = [{"id": number, "name": "[TEST]"} for number in range(1, 451)]
    variables = {
        "TRUEUP_DATABASE": database.reveal(),
        "YCLIENTS_URL": salon.url,
        "YCLIENTS_PARTNER_TOKEN": PARTNER,
        "YCLIENTS_USER_TOKEN": USER,
    }
    with subprocess.Popen([sys.executable, str(PROGRAM), str(SALON)], env=variables) as program:

        def kill(path):
            if path == CLIENTS and salon.requests[path] == 3:
                os.kill(program.pid, signal.SIGKILL)
                salon.failures[CLIENTS] = [None]

        salon.before_answer = kill
        assert program.wait(60) == -signal.SIGKILL

    assert read("select count(*) from clients") == [(400,)]
    assert read(RUNS) == [("clients", "running", None, True)]

    run = again(sync.sync_clients).run

    assert (run.status, run.fetched, run.inserted, run.unchanged) == ("succeeded", 450, 50, 400)
    assert read(RUNS) == [("clients", "interrupted", None, False), ("clients", "succeeded", None, False)]


def test_run_that_a_person_stops_is_interrupted_and_no_failure(sync, monkeypatch, read):
    def stop(company_id):
        raise KeyboardInterrupt

    sync.sync_company()
    with monkeypatch.context() as patched:
        patched.setattr(sync.api, "services", stop)
        with pytest.raises(KeyboardInterrupt):
            sync.sync_services()

    assert sync.sync_services().run.status == "succeeded", "the next one may begin at once"
    assert read(RUNS) == [("services", "interrupted", None, False), ("services", "succeeded", None, False)]


def test_only_runs_of_the_same_company_and_entity_are_taken_up(sync, observer, read):
    sync.sync_company()
    observer.execute(
        "insert into sync_runs (company_id, entity) values (4564, 'services'), (4564, 'staff'), (5, 'services')"
    )

    sync.sync_services()

    assert read("select company_id, entity, status from sync_runs where entity <> 'company' order by id") == [
        (4564, "services", "interrupted"),
        (4564, "staff", "running"),
        (5, "services", "running"),
        (4564, "services", "succeeded"),
    ]


@pytest.mark.parametrize("entity", SYNCS)
def test_killed_run_leaves_all_or_nothing(sync, salon, schedule, killer, entity):
    """What is not on a list any more is taken out of use together with what is on it, or not at all."""
    salon.lists[RECORDS] = [record(1, 1, 10), record(2, 1, 11), record(3, 2, 10)]
    sync.sync_all()
    salon.company["title"] = "[TEST] Another"
    salon.lists[SERVICES] = [{**fixture("services")[0], "title": "[TEST] Another"}, fixture("services")[1]]
    salon.lists[STAFF] = [*fixture("staff")[1:], {**fixture("staff")[0], "id": 9}]
    salon.lists[CLIENTS] = [{"id": 1, "name": "[TEST] New"}, {"id": 66440316, "name": "[TEST] Another"}]
    salon.lists[RECORDS] = [record(1, 1, 10, deleted=True), record(4, 2, 12)]
    schedule(8886, 0, 3)

    check_all_or_nothing(killer.states(entity, salon.url))
