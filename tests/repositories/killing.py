"""Kills programs in the middle of a use case, after each answer of the server, and looks at what they leave."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import pytest
from tests.repositories.crash import SERVICE

from trueup.conninfo import ConnInfo
from trueup.db import Connection

ROOT = Path(__file__).parents[2]
COLUMNS = {
    "companies": "company_id, title",
    "clients": "company_id, yclients_id, name, notes",
    "services": "company_id, yclients_id, title, is_active",
    "staff": "company_id, yclients_id, name, is_active",
    "staff_schedules": "company_id, yclients_staff_id, date, is_working, has_booking_slots",
    "bookings": "company_id, yclients_record_id, datetime, status",
    "whatsapp_auth": "company_id, creds",
    "whatsapp_keys": "company_id, key_type, key_id, value",
}
STATE = "select " + ", ".join(
    f"(select array_agg(row({columns})::text order by row({columns})::text) from {table})"
    for table, columns in COLUMNS.items()
)
LEFT = "select count(*) from pg_stat_activity where datname = current_database() and application_name like %s"

State = tuple[Any, ...]
Crashing = subprocess.Popen[str]


@contextmanager
def crashing() -> Iterator[Crashing]:
    """Give a process that runs others and lets them die."""
    program = [sys.executable, "-m", "tests.repositories.crash"]
    with pytest.MonkeyPatch.context() as patch:
        # Nothing is learnt of lines that other tests run, too, and each process would write a file at its end.
        patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        process = subprocess.Popen(program, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        yield process
        assert process.stdin
        process.stdin.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Killer:
    """Kills programs that work on one database."""

    process: Crashing
    database: ConnInfo
    observer: Connection

    def states(self, use_case: str, url: str = "-") -> list[State]:
        """Return what an observer sees: before, and after each kill, the last one too late for the use case."""
        seen = [self.state()]
        while self.kill(use_case, len(seen), url):
            seen.append(self.state())
        return [*seen, self.state()]

    def kill(self, use_case: str, moment: int, url: str) -> bool:
        """Run a use case in a process that kills itself after answer number `moment`; return whether it did."""
        assert self.process.stdin
        assert self.process.stdout
        print(use_case, moment, self.database.reveal(), url, sep="\t", file=self.process.stdin, flush=True)
        code = int(self.process.stdout.readline())
        assert code in {0, -signal.SIGKILL}
        return code != 0

    def state(self) -> State:
        """Return what is committed once the server has noticed that a killed program is gone."""
        last = monotonic() + 30
        while self.observer.execute(LEFT, [f"{SERVICE}:%"]).fetchone() != (0,):
            assert monotonic() < last
            Event().wait(0.002)
        found = self.observer.execute(STATE.encode()).fetchone()
        assert found is not None
        return found


def check_all_or_nothing(seen: list[State]) -> None:
    """Fail unless the first so many saw nothing and the others all."""
    before, whole = seen[0], seen[-1]
    assert whole != before
    assert seen == [before] * seen.count(before) + [whole] * seen.count(whole)
    assert seen.count(before) > 1, "none was killed before its end"
