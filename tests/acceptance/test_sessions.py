"""What the environment may say to the sessions of nox."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOX = shutil.which("nox")

pytestmark = pytest.mark.skipif(NOX is None, reason="nox is not installed")


@pytest.mark.parametrize(
    ("word", "status", "told"),
    [("false", 0, "skipped: RUN_INTEGRATION_TESTS is false"), ("perhaps", 1, "aborted: RUN_INTEGRATION_TESTS must be")],
)
def test_sessions_heed_who_wants_no_servers(monkeypatch: pytest.MonkeyPatch, word: str, status: int, told: str) -> None:
    """Any value once meant yes, "false" too."""
    monkeypatch.setenv("RUN_INTEGRATION_TESTS", word)

    done = subprocess.run(
        [str(NOX), "--no-venv", "--session", "integration", "repositories"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == status
    assert f"Session integration {told}" in done.stderr
    assert f"Session repositories {told}" in done.stderr
