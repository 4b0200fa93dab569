"""What of a result is shown: figures, never a text that could name somebody."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, IntEnum

import msgspec
import pytest

from trueup.health.figures import figures

MOMENT = datetime(2026, 11, 23, 3, tzinfo=UTC)


class Colour(IntEnum):
    RED = 1


class Mood(Enum):
    GOOD = "good"


@dataclass
class Thresholds:
    warning: int
    stale_after: timedelta


@dataclass
class Health:
    total_keys: int
    share: float
    is_stale: bool
    last_check: datetime
    thresholds: Thresholds
    nothing: None = None
    company: str = "79990000001"
    companies: tuple[str, ...] = ("79990000002",)
    mood: Mood = Mood.GOOD
    colour: Colour = Colour.RED
    raw: bytes = b"79990000003"


class Sync(msgspec.Struct):
    rows: int
    error: str


def test_numbers_truths_moments_and_durations_are_shown() -> None:
    health = Health(7, 0.5, False, MOMENT, Thresholds(100, timedelta(hours=24)))

    assert figures(health) == {
        "total_keys": 7,
        "share": 0.5,
        "is_stale": False,
        "last_check": "2026-11-23T03:00:00+00:00",
        "thresholds": {"warning": 100, "stale_after": 86400.0},
        "nothing": None,
    }


def test_texts_and_lists_stay_out() -> None:
    """W-H1: a page of health can't name a person, whatever a check returns."""
    found = figures(Health(7, 0.5, False, MOMENT, Thresholds(100, timedelta(hours=24))))

    assert "7999" not in repr(found)
    assert found.keys().isdisjoint({"company", "companies", "mood", "colour", "raw"})


def test_structs_and_mappings_are_read_too() -> None:
    assert figures(Sync(rows=3, error="+79990000001")) == {"rows": 3}
    assert figures({"a": {"b": 1}, 5: 2}) == {"a": {"b": 1}, "5": 2}


@pytest.mark.parametrize("result", [None, 7, "text", [1, 2], object(), Health])
def test_what_has_no_names_shows_nothing(result: object) -> None:
    assert figures(result) == {}
