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


def hours(*parts: tuple[str, str]) -> list[dict[str, str]]:
    return [{"from": begins, "to": ends} for begins, ends in parts]


BREAK = hours(("10:00", "14:30"), ("15:15", "20:00"))


@pytest.mark.parametrize(
    ("given", "length"),
    [
        ({}, dt.timedelta(hours=10)),
        ({"working_hours": BREAK}, dt.timedelta(hours=9, minutes=15)),
        ({"working_hours": BREAK[::-1]}, dt.timedelta(hours=9, minutes=15)),
        ({"working_hours": BREAK, "work_end": None}, dt.timedelta(hours=9, minutes=15)),
        ({"working_hours": hours(("10:00", "12:00"), ("12:00", "14:00"))}, dt.timedelta(hours=4)),
        ({"working_hours": hours(("10:00", "14:00"), ("11:00", "12:00"))}, dt.timedelta(hours=4)),
        ({"working_hours": hours(("22:00", "24:00")), "work_end": None}, dt.timedelta(hours=2)),
        ({"working_hours": hours(("22:00:30", "00:00:00")), "work_end": None}, dt.timedelta(seconds=7170)),
        *(
            ({"working_hours": unreadable}, dt.timedelta(hours=10))
            for unreadable in (
                *(None, [], {}, 7, "10:00-20:00", [None], [{"from": "10:00"}], [{"from": 10, "to": 12}]),
                *(hours(("x", "12:00")), hours(("12:00", "11:00")), hours(("12:00", "12:00")), UNSET),
            )
        ),
    ],
)
def test_day_has_room_until_its_hours_without_the_breaks_are_taken(given: dict[str, object], length: dt.timedelta):
    assert schedule(**given).has_room(length - dt.timedelta(seconds=1))
    assert not schedule(**given).has_room(length)


@pytest.mark.parametrize("given", [{"work_start": None}, {"work_end": None}])
def test_day_whose_hours_are_not_known_always_has_room(given: dict[str, object]):
    assert schedule(**given).spans == ()
    assert schedule(**given).has_room(dt.timedelta(days=2))


def test_day_off_has_no_room():
    off = schedule(is_working=False, working_hours=BREAK)

    assert off.spans == ()
    assert not off.has_room(dt.timedelta())


@pytest.mark.parametrize(
    ("begins", "ends", "covered"),
    [
        (at(10), at(14, 30), True),
        (at(15, 15), at(20), True),
        (at(14), at(14, 31), False),
        (at(14, 45), at(15), False),
        (at(15, 14), at(16), False),
        (at(12), at(17), False),
    ],
)
def test_schedule_covers_nothing_in_a_break(begins: dt.datetime, ends: dt.datetime, covered: bool):
    assert schedule(working_hours=BREAK).covers(begins, ends) is covered


def test_schedule_covers_what_two_parts_without_a_break_between_cover_together():
    given = schedule(working_hours=hours(("10:00", "12:00"), ("12:00", "20:00")))

    assert given.covers(at(11), at(13))


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
