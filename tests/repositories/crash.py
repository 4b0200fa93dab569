"""Runs use cases, each in a process of its own that kills itself on the way: python -m tests.repositories.crash.

Reads lines of four fields with tabs between: the use case, the number of the answer after which to die, the connection
string, and where YClients is. Answers each with the exit code, once that process is gone.
"""

import datetime as dt
import itertools
import os
import signal
import sys
import traceback
from typing import Any

from tests.repositories.rows import COMPANY, NOON, booking, client, staff_member
from tests.repositories.sync.salon_server import PARTNER, USER

from ai_admin.data_layer import DataLayer
from ai_admin.sessions import Selection, SessionStore, clean_up
from ai_admin.sync import SalonSync, YClients
from ai_admin.sync.pace import Limit, Pace
from trueup.conninfo import ConnInfo, Secret
from trueup.db import Database
from trueup.db.pooled import PooledConnection
from trueup.settings import DatabaseSettings

SALON = 4564
SERVICE = "crash"
"""What the processes are called in pg_stat_activity."""
DATA_LAYER = {
    "book": lambda data: data.book(client(yclients_id=2), booking(yclients_record_id=2, staff_id=2)),
    "reschedule": lambda data: data.reschedule_booking(1, NOON + dt.timedelta(hours=22)),
    "cancel": lambda data: data.cancel_booking(1),
    "replace_staff": lambda data: data.replace_staff([staff_member(yclients_id=n) for n in (2, 3)]),
    "upsert_clients": lambda data: data.upsert_clients(
        [client(yclients_id=2), client(yclients_id=3, notes="in a statement of its own")]
    ),
    "upsert_bookings": lambda data: data.upsert_bookings(
        [booking(yclients_record_id=n, staff_id=3) for n in (3, 4)], partial=True
    ),
}
SESSIONS = {
    "save_creds": lambda store: store.save_creds({"registrationId": 2}),
    "set": lambda store: store.set(
        {"pre-key": {"1": None, "3": {"n": 3}}, "session": {"a.0": {"n": 2}}, "identity-key": {"a.0": {"n": 1}}}
    ),
    "replace": lambda store: store.replace({"registrationId": 3}),
    "clear": lambda store: store.clear(),
    "clean_up": lambda store: clean_up(store.db, Selection()),
}
SYNCS = ("company", "services", "staff", "clients", "schedules", "bookings")


def live_until(moment: int) -> None:
    """End the process at the answer of that number from now on: what came before is done, and nothing more is sent."""
    answers = itertools.count(1)
    receive = PooledConnection.wait

    def wait(*args: Any, **options: Any) -> Any:
        found = receive(*args, **options)
        if next(answers) == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    PooledConnection.wait = wait  # type: ignore[method-assign]


def run(use_case: str, moment: str, conninfo: str, url: str) -> None:
    """Run a use case until its end or the moment."""
    with Database(DatabaseSettings(conninfo=ConnInfo.parse(conninfo), service=SERVICE)) as db:
        data, store = DataLayer(db, COMPANY), SessionStore(db, COMPANY)
        data.check_health()
        live_until(int(moment))
        if use_case in SYNCS:
            api = YClients(url, partner=Secret(PARTNER), user=Secret(USER), pace=Pace((Limit(1000, 1.0),)))
            getattr(SalonSync(db, api, SALON), f"sync_{use_case}")()
        elif use_case in SESSIONS:
            SESSIONS[use_case](store)
        else:
            DATA_LAYER[use_case](data)


def answer(line: str) -> int:
    """Return how a process ended that ran what the line says."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        run(*line.rstrip("\n").split("\t"))
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    for line in sys.stdin:
        print(answer(line), flush=True)  # noqa: T201
