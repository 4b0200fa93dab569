"""What whoever flushes waits for."""

from pathlib import Path
from time import monotonic

import pytest

from trueup.observe.courier import Courier, Sender
from trueup.observe.outbox import Outbox, Parcel


def never() -> Sender:
    raise AssertionError("nothing is delivered here")


@pytest.fixture
def courier(tmp_path: Path) -> Courier:
    return Courier(Outbox(tmp_path, 10_000), never, lambda: 0.0)


@pytest.mark.parametrize(
    ("category", "unwanted", "is_paused"),
    [
        ("transaction", "transaction", False),  # It is dropped at once, and errors behind it are delivered.
        ("transaction", "", True),
        ("error", "transaction", False),
        ("error", "error", True),
        ("error", "", True),
    ],
)
def test_only_what_will_still_be_delivered_is_paused(
    courier: Courier, category: str, unwanted: str, is_paused: bool
) -> None:
    courier.pauses[unwanted] = monotonic() + 86_400
    courier.outbox.put(Parcel("0" * 32, category, b"{}"))

    assert courier.is_paused() == is_paused
