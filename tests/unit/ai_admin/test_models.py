"""What rows know of themselves."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from ai_admin.appointments.model import Appointment, phone_in, with_phone
from ai_admin.bookings import Booking
from ai_admin.schedules import Schedule
from trueup.tables import UNSET

DAY = dt.date(2031, 5, 12)


def schedule(**given: object) -> Schedule:
    hours = {"is_working": True, "work_start": dt.time(10), "work_end": dt.time(20)}
    return Schedule(**({"yclients_staff_id": 1, "date": DAY} | hours | given))  # type: ignore[arg-type]


def at(hour: int, minute: int = 0, day: int = 12) -> dt.datetime:
    return dt.datetime(2031, 5, day, hour, minute)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("begins", "ends", "covered"),
    [
        (at(10), at(20), True),
        (at(12), at(12), True),
        (at(9, 59), at(11), False),
        (at(19), at(20, 1), False),
        (at(19), at(1, day=13), False),
        (at(12, day=13), at(13, day=13), False),
        (at(12, day=11), at(13, day=11), False),
    ],
)
def test_schedule_covers_what_is_within_its_hours(begins: dt.datetime, ends: dt.datetime, covered: bool):
    assert schedule().covers(begins, ends) is covered


@pytest.mark.parametrize(
    ("given", "covered"),
    [
        ({"work_start": None}, True),
        ({"work_end": None}, True),
        ({"work_start": None, "work_end": None}, True),
        ({"work_start": dt.time(13)}, False),
        ({"work_end": dt.time(12)}, False),
        ({"is_working": False}, False),
    ],
)
def test_hours_that_are_not_known_do_not_limit_a_working_day(given: dict[str, object], covered: bool):
    assert schedule(**given).covers(at(12), at(13)) is covered


@pytest.mark.parametrize(
    ("given", "hours"),
    [({}, 10), ({"is_working": False}, 0), ({"work_start": None}, None), ({"work_end": None}, None)],
)
def test_day_is_as_long_as_its_hours(given: dict[str, object], hours: int | None):
    assert schedule(**given).worked == (None if hours is None else dt.timedelta(hours=hours))


def test_booking_ends_after_its_seconds():
    begins = dt.datetime(2031, 5, 12, 23, 30, tzinfo=dt.UTC)
    booking = Booking(yclients_record_id=1, staff_id=1, datetime=begins, duration=2700)

    assert booking.ends_at == begins + dt.timedelta(minutes=45)


@pytest.mark.parametrize(
    "raw_data",
    [None, [], {}, "x", {"client": []}, {"client": {}}, {"client": {"phone": None}}, {"client": {"phone": 7}}],
)
def test_record_without_a_phone_has_none(raw_data: object):
    """3.1: an empty object comes as an empty list."""
    assert phone_in(raw_data) is None
    assert with_phone(Appointment(yclients_record_id=1, raw_data=raw_data)).client_phone is UNSET


@pytest.mark.parametrize("phone", ["8 (000) 123-00-22", "+70001230022"])
def test_record_lends_its_phone_in_its_one_form(phone: str):
    appointment = Appointment(yclients_record_id=1, raw_data={"client": {"phone": phone}}, cost=Decimal(5))

    assert with_phone(appointment) == replace(appointment, client_phone="+70001230022")


@pytest.mark.parametrize("phone", [None, "+70001230099"])
def test_phone_of_its_own_is_kept(phone: str | None):
    appointment = Appointment(yclients_record_id=1, client_phone=phone, raw_data={"client": {"phone": "+70001230022"}})

    assert with_phone(appointment) is appointment


def test_phone_of_a_record_that_is_none_is_not_stored():
    appointment = Appointment(yclients_record_id=1, raw_data={"client": {"phone": "none"}})

    assert with_phone(appointment) is appointment


def test_hours_are_held_against_the_clock_of_the_moments():
    zone = ZoneInfo("Europe/Moscow")
    begins, ends = (at(hour).replace(tzinfo=zone) for hour in (19, 20))

    assert schedule().covers(begins, ends)
    assert not schedule().covers(begins, ends + dt.timedelta(minutes=1))
