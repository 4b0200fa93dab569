"""Use cases over several tables: all of it or nothing, whoever else is at it."""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import monotonic

import pytest
from tests.repositories.rows import COMPANY, DAY, HOUR, NOON, PHONE, booking, client, schedule

from ai_admin.bookings import Booking
from ai_admin.data_layer import DataLayer
from ai_admin.errors import BookingMissing, CompanyMissing, InvalidPhone, NotWorking, UnknownZone
from trueup.db import Connection, Database
from trueup.errors import ExclusionConflict

NEXT = DAY + dt.timedelta(days=1)
FULL_DAY = 10 * 3600


def has_slots(data: DataLayer, day: dt.date = DAY, staff_id: int = 1) -> bool:
    found = data.get_schedule(staff_id, day)
    assert found is not None
    return found.has_booking_slots


# -- booking -----------------------------------------------------------------------------------------------------------


def test_client_and_booking_are_stored_together(data: DataLayer) -> None:
    """C, L: the booking names the client as they are stored."""
    done = data.book(client(yclients_id=4, phone="8 000 123-00-22", name="[TEST] Анна"), booking(staff_id=1))

    assert (done.client.status, done.booking.status) == ("inserted", "inserted")
    row = done.booking.row
    assert (row.client_yclients_id, row.client_phone, row.client_name) == (4, PHONE, "[TEST] Анна")
    assert data.get_upcoming_appointments(PHONE, now=NOON) == [row]


def test_client_is_not_stored_without_the_booking(committing: Database, observer: Connection) -> None:
    data = DataLayer(committing, COMPANY)
    data.upsert_booking(booking(staff_id=1))

    with pytest.raises(ExclusionConflict):
        data.book(client(), booking(staff_id=1))

    assert observer.execute("select count(*) from clients").fetchone() == (0,)


def test_booking_with_a_bad_phone_stores_nothing(data: DataLayer) -> None:
    with pytest.raises(InvalidPhone):
        data.book(client(phone="+123"), booking())

    assert (data.get_clients(), data.get_bookings()) == ([], [])


def test_booking_at_a_salon_that_is_not_there_says_so(db: Database) -> None:
    with pytest.raises(CompanyMissing, match="-404"):
        DataLayer(db, -404).book(client(), booking())


def test_day_has_slots_until_its_hours_are_taken(data: DataLayer) -> None:
    data.upsert_schedule(schedule())
    morning = dt.datetime(2031, 5, 12, 7, tzinfo=dt.UTC)

    data.book(client(), booking(staff_id=1, datetime=morning, duration=FULL_DAY - 3600))
    still = has_slots(data)
    data.book(client(), booking(staff_id=1, datetime=morning + 9 * HOUR))

    assert (still, has_slots(data)) == (True, False)


def test_break_is_no_time_that_is_left(data: DataLayer) -> None:
    parts = [{"from": "10:00", "to": "14:00"}, {"from": "15:00", "to": "20:00"}]
    data.upsert_schedule(schedule(working_hours=parts))
    morning = dt.datetime(2031, 5, 12, 7, tzinfo=dt.UTC)

    early = data.book(client(), booking(staff_id=1, datetime=morning, duration=4 * 3600)).booking.row
    still = has_slots(data)
    data.book(client(), booking(staff_id=1, datetime=morning + 5 * HOUR, duration=5 * 3600))

    assert (still, has_slots(data)) == (True, False)
    with pytest.raises(NotWorking):
        data.reschedule_booking(early.yclients_record_id, morning + 4 * HOUR, duration=3600)


def test_day_whose_hours_are_not_known_keeps_what_was_said_of_it(data: DataLayer) -> None:
    data.upsert_schedule(schedule(work_start=None, work_end=None))

    data.book(client(), booking(staff_id=1, duration=FULL_DAY))

    assert has_slots(data)


def test_booking_that_is_booked_again_elsewhere_frees_where_it_was(data: DataLayer) -> None:
    data.upsert_schedules([schedule(), schedule(date=NEXT)])
    morning = dt.datetime(2031, 5, 12, 7, tzinfo=dt.UTC)
    data.book(client(), booking(yclients_record_id=1, staff_id=1, datetime=morning, duration=FULL_DAY))
    full = has_slots(data)

    data.book(client(), booking(yclients_record_id=1, staff_id=1, datetime=morning + 24 * HOUR, duration=FULL_DAY))

    assert (full, has_slots(data), has_slots(data, NEXT)) == (False, True, False)


# -- rescheduling ------------------------------------------------------------------------------------------------------


@pytest.fixture
def planned(data: DataLayer) -> Booking:
    """Return a booking that fills its day, in a schedule of two days."""
    data.upsert_schedules([schedule(), schedule(date=NEXT), schedule(yclients_staff_id=2, staff_name="[TEST] two")])
    morning = dt.datetime(2031, 5, 12, 7, tzinfo=dt.UTC)
    return data.book(client(), booking(staff_id=1, datetime=morning, duration=FULL_DAY)).booking.row


def test_booking_moves_with_its_slot(data: DataLayer, planned: Booking) -> None:
    moved = data.reschedule_booking(planned.yclients_record_id, planned.datetime + 24 * HOUR)

    assert (moved.datetime, moved.date, moved.id) == (planned.datetime + 24 * HOUR, NEXT, planned.id)
    assert (has_slots(data), has_slots(data, NEXT)) == (True, False)


def test_booking_moves_to_another_person_and_length(data: DataLayer, planned: Booking) -> None:
    moved = data.reschedule_booking(planned.yclients_record_id, NOON, staff_id=2, duration=1800)

    assert (moved.staff_id, moved.staff_name, moved.duration) == (2, "[TEST] two", 1800)
    assert (has_slots(data), has_slots(data, staff_id=2)) == (True, True)


@pytest.mark.parametrize(
    ("to", "given"),
    [
        pytest.param(NOON + 48 * HOUR, {}, id="day-without-a-schedule"),
        pytest.param(NOON - 3 * HOUR, {"duration": 60}, id="too-early"),
        pytest.param(NOON + 8 * HOUR, {"duration": 1}, id="too-late"),
        pytest.param(NOON, {"duration": 8 * 3600 + 1}, id="too-long"),
        pytest.param(NOON, {"staff_id": 99}, id="unknown-person"),
    ],
)
def test_booking_moves_only_where_somebody_works(
    data: DataLayer, planned: Booking, to: dt.datetime, given: dict[str, int]
) -> None:
    with pytest.raises(NotWorking):
        data.reschedule_booking(planned.yclients_record_id, to, **given)

    assert data.get_booking(planned.yclients_record_id) == planned
    assert not has_slots(data)


def test_time_without_a_zone_is_none(data: DataLayer, planned: Booking) -> None:
    """M-15."""
    with pytest.raises(UnknownZone):
        data.reschedule_booking(planned.yclients_record_id, NOON.replace(tzinfo=None))


def test_day_off_is_no_day_to_move_to(data: DataLayer, planned: Booking) -> None:
    data.upsert_schedule(schedule(date=NEXT, is_working=False, has_booking_slots=False))

    with pytest.raises(NotWorking):
        data.reschedule_booking(planned.yclients_record_id, NOON + 24 * HOUR, duration=60)


def test_booking_does_not_move_onto_another(data: DataLayer, planned: Booking) -> None:
    """Both or none: the slot is as it was."""
    data.book(client(), booking(staff_id=1, datetime=NOON + 24 * HOUR))

    with pytest.raises(ExclusionConflict):
        data.reschedule_booking(planned.yclients_record_id, planned.datetime + 24 * HOUR)

    assert data.get_booking(planned.yclients_record_id) == planned
    assert (has_slots(data), has_slots(data, NEXT)) == (False, True)


@pytest.mark.parametrize("status", ["cancelled", "no_show", "completed", "past"])
def test_booking_that_is_over_does_not_move(data: DataLayer, planned: Booking, status: str) -> None:
    data.set_booking_status(planned.yclients_record_id, status)  # type: ignore[arg-type]

    with pytest.raises(BookingMissing):
        data.reschedule_booking(planned.yclients_record_id, NOON)


def test_booking_that_is_not_there_does_not_move(data: DataLayer, other: DataLayer, planned: Booking) -> None:
    for call in (lambda: other.reschedule_booking(planned.yclients_record_id, NOON), lambda: other.cancel_booking(1)):
        with pytest.raises(BookingMissing):
            call()


def test_cancelled_booking_gives_its_slot_back(data: DataLayer, planned: Booking) -> None:
    cancelled = data.cancel_booking(planned.yclients_record_id)

    assert (cancelled.status, has_slots(data)) == ("cancelled", True)


MORNING = dt.datetime(2031, 5, 12, 7, tzinfo=dt.UTC)
"""Ten o'clock in Moscow, when work begins."""


def at_once(observer: Connection, db: Database, first: Callable[[], object], second: Callable[[], object]) -> None:
    """Do the second while the first is done and not yet committed."""
    with ThreadPoolExecutor(1) as pool:
        with db.transaction():
            first()
            running = pool.submit(second)
            wait_until(lambda: running.done() or waits_for_a_lock(observer))
        running.result()


def test_slot_is_true_after_two_moved_to_one_day_at_once(committing: Database, observer: Connection) -> None:
    """W-R23: two that look before they write would each leave the day as they had seen it."""
    data = DataLayer(committing, COMPANY)
    days = [DAY - dt.timedelta(days=1), DAY, NEXT]
    data.upsert_schedules([schedule(date=day) for day in days])
    for number, begins in ((1, MORNING - 24 * HOUR), (2, MORNING + 5 * HOUR)):
        row = booking(yclients_record_id=number, staff_id=1, datetime=begins, duration=FULL_DAY // 2)
        data.book(client(), row)

    at_once(
        observer,
        committing,
        lambda: data.reschedule_booking(1, MORNING + 24 * HOUR),
        lambda: data.reschedule_booking(2, MORNING + 29 * HOUR),
    )

    assert [has_slots(data, day) for day in days] == [True, True, False]


def test_slot_is_true_after_one_booking_moved_twice_at_once(committing: Database, observer: Connection) -> None:
    data = DataLayer(committing, COMPANY)
    days = [DAY, NEXT, NEXT + dt.timedelta(days=1)]
    data.upsert_schedules([schedule(date=day) for day in days])
    row = booking(yclients_record_id=1, staff_id=1, datetime=MORNING, duration=FULL_DAY)
    data.book(client(), row)

    at_once(
        observer,
        committing,
        lambda: data.reschedule_booking(1, MORNING + 24 * HOUR),
        lambda: data.reschedule_booking(1, MORNING + 48 * HOUR),
    )

    assert [has_slots(data, day) for day in days] == [True, True, False]


def waits_for_a_lock(observer: Connection) -> bool:
    query = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    return observer.execute(query).fetchone() != (0,)


def wait_until(condition: Callable[[], bool], deadline_s: float = 20) -> None:
    pause, last = Event(), monotonic() + deadline_s
    while not condition():
        assert monotonic() < last
        pause.wait(0.005)
