"""Ctrl-C at any moment: Python may raise it after every call, also inside of our own code."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from trueup.conninfo import ConnInfo

PROGRAM = Path(__file__).with_name("interrupted.py")


@pytest.mark.parametrize(("work", "rows"), [("connection", {0}), ("transaction", {0, 1}), ("savepoint", {0, 2})])
def test_interruption_at_any_moment_loses_no_connection(target: ConnInfo, work: str, rows: set[int]) -> None:
    """W-P: the connection comes back or is closed, and the work happened whole or not at all."""
    command = [sys.executable, "-X", "faulthandler", str(PROGRAM), target.reveal(), work]

    ended = subprocess.run(command, env={}, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 0, ended.stderr
    aftermaths = json.loads(ended.stdout)
    assert len(aftermaths) > 20
    assert [left["place"] for left in aftermaths if left["is_block_left"]] == []
    assert [left["place"] for left in aftermaths if left["rows"] not in rows] == []
