"""The how-to page does what it says."""

import re
import signal
from pathlib import Path

import pytest

from trueup import observe

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/howto/error-tracking.md").read_text(encoding="utf-8")
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/trueup").rglob("*.py"))


@pytest.fixture
def handlers():
    """Put back what `instrument` takes over in this process."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    observe.shut_down(1)
    signal.signal(signal.SIGTERM, before)


def run_examples() -> dict[str, object]:
    names: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        exec(block, names)
    return names


def test_examples_switch_tracking_on_and_see_an_event_arrive(receiver, handlers, monkeypatch, tmp_path):
    monkeypatch.setenv("SENTRY_DSN", receiver.dsn.reveal())
    monkeypatch.setenv("TRUEUP_STATE_DIR", str(tmp_path))

    names = run_examples()

    assert names["found"].is_enabled  # type: ignore[attr-defined]
    assert names["probe"].is_delivered  # type: ignore[attr-defined]
    assert len(receiver.errors) == 1


def test_examples_do_nothing_without_a_dsn(handlers, monkeypatch):
    monkeypatch.delenv("SENTRY_DSN", raising=False)

    names = run_examples()

    assert not names["found"].is_enabled  # type: ignore[attr-defined]
    assert "SENTRY_DSN is not set" in names["probe"].reason  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", re.findall(r"^\| `([A-Z_]+)`", PAGE, re.MULTILINE))
def test_variable_of_the_page_is_read(name):
    assert f'"{name}"' in SOURCES


@pytest.mark.parametrize("reason", re.findall(r"^\| `([a-z_]+)`", PAGE, re.MULTILINE))
def test_reason_of_the_page_is_booked(reason):
    assert f'"{reason}"' in SOURCES


def test_page_names_every_reason_that_is_booked():
    booked = set(re.findall(r'(?:count_dropped\(|settle\(parcel, |UNWANTED = |self\.dropped\[)"(\w+)"', SOURCES))

    assert len(booked) >= 6
    assert [reason for reason in booked if f"`{reason}`" not in PAGE] == []
