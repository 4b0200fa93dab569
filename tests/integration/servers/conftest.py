"""Programs that start servers, and die of it."""

import pytest


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let programs start without coverage, which takes longer than all that they do: tests run the same lines here."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
