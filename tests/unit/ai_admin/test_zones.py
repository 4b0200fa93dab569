"""Days where the salon is."""

import datetime as dt

import pytest

from ai_admin.errors import UnknownZone
from ai_admin.zones import begin_of, day_of, end_of, zone_named

MOSCOW, BERLIN, LORD_HOWE = map(zone_named, ("Europe/Moscow", "Europe/Berlin", "Australia/Lord_Howe"))
UTC = dt.UTC


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2031-05-11T20:59:59.999999Z", "2031-05-11"),
        ("2031-05-11T21:00:00Z", "2031-05-12"),
        ("2031-05-12T00:00:00+03:00", "2031-05-12"),
        ("2013-05-11T19:59:59Z", "2013-05-11"),
        ("2013-05-11T20:00:00Z", "2013-05-12"),
    ],
)
def test_day_of_an_instant_is_the_salons(moment: str, day: str):
    """M-15, M-16; until October 2014 Moscow was four hours ahead."""
    assert str(day_of(dt.datetime.fromisoformat(moment), MOSCOW)) == day


@pytest.mark.parametrize(
    ("day", "hours"), [("2031-03-30", 23), ("2031-10-26", 25), ("2031-05-12", 24)], ids=["spring", "autumn", "other"]
)
def test_day_lasts_as_long_as_clocks_say(day: str, hours: int):
    date = dt.date.fromisoformat(day)

    begins, ends = begin_of(date, BERLIN).astimezone(UTC), end_of(date, BERLIN).astimezone(UTC)

    assert ends - begins == dt.timedelta(hours=hours)
    assert day_of(begins, BERLIN) == day_of(ends - dt.timedelta(microseconds=1), BERLIN) == date


def test_day_may_be_half_an_hour_longer():
    assert end_of(dt.date(2031, 4, 6), LORD_HOWE).astimezone(UTC) - begin_of(dt.date(2031, 4, 6), LORD_HOWE).astimezone(
        UTC
    ) == dt.timedelta(hours=24.5)


@pytest.mark.parametrize("name", ["", "Mars/Phobos", "../etc/passwd", "/etc/localtime", "Europe", "a\0b", "x" * 5_000])
def test_name_that_is_no_zone_is_an_error(name: str):
    with pytest.raises(UnknownZone, match="name it as IANA does"):
        zone_named(name)


def test_datetime_without_a_zone_has_no_day():
    """M-15: it would be read by the clock of whatever machine this is."""
    with pytest.raises(UnknownZone, match="no instant"):
        day_of(dt.datetime(2031, 5, 12), MOSCOW)  # noqa: DTZ001
