from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.observe.receiver import Receiver

from trueup.conninfo import Secret
from trueup.observe import shut_down
from trueup.observe.event import Origin
from trueup.observe.limit import Allowance
from trueup.observe.reporting import SWITCH
from trueup.observe.tracker import Tracker

ORIGIN = Origin(release="0123456789abcdef0123456789abcdef01234567", environment="test")
ANY = Allowance(events=1_000_000, window_s=60.0)

Track = Callable[..., Tracker]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def track(tmp_path: Path) -> Iterator[Track]:
    """Switch tracking on for the test: `track(dsn)`, with the Tracker's options."""

    def start(dsn: Secret, **options: Any) -> Tracker:
        SWITCH.tracker = Tracker(dsn, ORIGIN, tmp_path / "events", **({"errors": ANY, "warnings": ANY} | options))
        return SWITCH.tracker

    yield start
    shut_down(0.1)
