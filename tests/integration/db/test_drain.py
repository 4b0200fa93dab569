"""SIGTERM: work in hand is finished, what takes too long is cut and reported, and the process ends by the signal."""

import signal
import subprocess
import sys
import textwrap
from time import monotonic

import pytest
from tests.integration.db.conftest import Observer, until

from trueup.conninfo import ConnInfo

PROGRAM = """
import sys, threading
from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.db.drain import drain_on_sigterm
from trueup.settings import DatabaseSettings

db = Database(DatabaseSettings(conninfo=ConnInfo.parse(sys.argv[1]), service="svc"))
drain_on_sigterm(db, report=lambda cut: print("cut", len(cut), "do_work" in "".join(cut), flush=True), drain_s=1.0)

def do_work():
    with db.transaction() as tx:
        tx.execute("insert into t values (1)")
        print("working", flush=True)
        tx.execute("select pg_sleep(%s)", [float(sys.argv[2])])

threading.Thread(target=do_work, daemon=True).start()
threading.Event().wait(30)
"""


@pytest.mark.parametrize(
    ("work_s", "cut", "stored"), [(0.4, "cut 0 False", 1), (20, "cut 1 True", 0)], ids=["finished", "cut"]
)
def test_sigterm_drains(target: ConnInfo, observer: Observer, work_s: float, cut: str, stored: int) -> None:
    """W-P1: handlers were installed on import and never ended the process."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), target.reveal(), str(work_s)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "working\n"
    started = monotonic()
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=20)

    assert out.strip() == cut
    assert process.returncode == -signal.SIGTERM
    assert monotonic() - started < 5
    until(lambda: observer.backends() == [])
    assert observer.value("select count(*) from t") == stored
