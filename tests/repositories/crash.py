"""Runs use cases, each in a process of its own that kills itself on the way.

Reads lines of three fields with tabs between: the use case, the number of the statement at which to die, the connection
string. Answers each with the exit code, once that process is gone.
"""

import datetime as dt
import itertools
import os
import signal
import sys
import traceback
from typing import Any

from rows import COMPANY, NOON, booking, client, staff_member

from ai_admin.data_layer import DataLayer
from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.db.pooled import PooledConnection
from trueup.settings import DatabaseSettings

USE_CASES = {
    "book": lambda data: data.book(client(yclients_id=2), booking(yclients_record_id=2, staff_id=2)),
    "reschedule": lambda data: data.reschedule_booking(1, NOON + dt.timedelta(hours=22)),
    "cancel": lambda data: data.cancel_booking(1),
    "replace_staff": lambda data: data.replace_staff([staff_member(yclients_id=n) for n in (2, 3)]),
    "upsert_clients": lambda data: data.upsert_clients(
        [client(yclients_id=2), client(yclients_id=3, notes="in a statement of its own")]
    ),
}


def live_until(moment: int) -> None:
    """End the process at the statement of that number from now on: when it is sent, or about to be."""
    statements = itertools.count(1)
    send = PooledConnection.wait

    def wait(*args: Any, **options: Any) -> Any:
        if next(statements) == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return send(*args, **options)

    PooledConnection.wait = wait  # type: ignore[method-assign]


def run(use_case: str, moment: str, conninfo: str) -> None:
    """Run a use case until its end or the moment."""
    with Database(DatabaseSettings(conninfo=ConnInfo.parse(conninfo))) as db:
        data = DataLayer(db, COMPANY)
        data.check_health()
        live_until(int(moment))
        USE_CASES[use_case](data)


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
