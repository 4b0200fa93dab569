"""Bookings of one salon: what is found when, and that nobody works for two at once."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import get_args

import pytest
from tests.repositories.rows import COMPANY, DAY, HOUR, NOON, PHONE, booking

from ai_admin.bookings import Booking, Bookings, Status
from ai_admin.data_layer import DataLayer
from ai_admin.errors import BookingMissing
from trueup.db import Database
from trueup.errors import CheckFailed, ExclusionConflict, ForeignKeyMissing
from trueup.tables import StatementRefused

STATUSES = get_args(Status)


def records(bookings: list[Booking]) -> list[int]:
    return [each.yclients_record_id for each in bookings]


def test_booking_is_found_by_its_record_in_its_salon_alone(data: DataLayer, other: DataLayer) -> None:
    """L1, L4, L5, M-3: by yclients_record_id; the earlier finder read all salons."""
    data.upsert_booking(booking(yclients_record_id=1))
    other.upsert_booking(booking(yclients_record_id=2))

    assert [each is not None for each in map(data.get_booking, (1, 2))] == [True, False]


def test_record_ids_beyond_four_bytes_are_stored(data: DataLayer) -> None:
    """M-17: real ids were at 1.43 thousand million already."""
    assert data.upsert_booking(booking(yclients_record_id=3_000_000_000)).status == "inserted"


def test_clients_bookings_come_latest_first_in_pages(data: DataLayer, other: DataLayer) -> None:
    """C18, C20, C21, L6, L8, P6, W-D3, M-4: by phone, not by an id that the table has not."""
    rows = [booking(yclients_record_id=n, client_phone=PHONE, datetime=NOON + n * HOUR) for n in range(5)]
    data.upsert_bookings([*rows, booking(client_phone="+70009999999")])
    other.upsert_booking(booking(client_phone=PHONE))

    first = data.get_appointments("8 000 123-00-22", limit=3)
    rest = data.get_appointments(PHONE, limit=3, after=first[-1])

    assert (records(first), records(rest)) == ([4, 3, 2], [1, 0])


def test_clients_bookings_of_a_time_include_its_begin_and_not_its_end(data: DataLayer) -> None:
    """C19, W-R3: a date as a filter's value dropped the condition."""
    data.upsert_bookings(
        [booking(yclients_record_id=n, client_phone=PHONE, datetime=NOON + n * HOUR) for n in range(4)]
    )

    found = data.get_appointments(PHONE, since=NOON + HOUR, until=NOON + 3 * HOUR)

    assert records(found) == [2, 1]
    assert records(data.get_appointments(PHONE, since=NOON + 2 * HOUR)) == [3, 2]
    assert records(data.get_appointments(PHONE, until=NOON + HOUR)) == [0]


def test_client_without_bookings_has_none(data: DataLayer) -> None:
    """L7, C25, P21."""
    assert data.get_appointments(PHONE) == data.get_upcoming_appointments(PHONE) == []


# -- upcoming ----------------------------------------------------------------------------------------------------------


def test_upcoming_are_those_that_begin_now_or_later_the_next_one_first(data: DataLayer, other: DataLayer) -> None:
    """C22, C24, L9, L11, P7: the next one first."""
    rows = [booking(yclients_record_id=n, client_phone=PHONE, datetime=NOON + n * HOUR) for n in (3, -1, 0, 2)]
    data.upsert_bookings(rows)
    other.upsert_booking(booking(client_phone=PHONE))

    assert records(data.get_upcoming_appointments(PHONE, now=NOON)) == [0, 2, 3]
    assert records(data.get_upcoming_appointments(PHONE, now=NOON + dt.timedelta(microseconds=1), limit=1)) == [2]


def test_upcoming_compares_instants_whatever_the_clock_shows(data: DataLayer) -> None:
    """M-15: the salon's clock was compared with UTC, three hours apart."""
    moscow = dt.timezone(dt.timedelta(hours=3))
    data.upsert_booking(
        booking(yclients_record_id=1, client_phone=PHONE, datetime=dt.datetime(2031, 5, 12, 15, 15, tzinfo=moscow))
    )

    at = [dt.datetime(2031, 5, 12, 12, minute, tzinfo=dt.UTC) for minute in (15, 16)]

    assert [records(data.get_upcoming_appointments(PHONE, now=now)) for now in at] == [[1], []]


@pytest.mark.parametrize("status", STATUSES)
def test_upcoming_are_live(data: DataLayer, status: Status) -> None:
    """C23, L10: cancelled ones were among them, those that were confirmed were not."""
    data.upsert_booking(booking(client_phone=PHONE, status=status))

    found = data.get_upcoming_appointments(PHONE, now=NOON)

    assert bool(found) == (status not in {"cancelled", "no_show"})


def test_upcoming_are_found_by_the_clients_id_as_well(data: DataLayer) -> None:
    rows = [booking(yclients_record_id=n, client_yclients_id=5, datetime=NOON + n * HOUR) for n in (-1, 1, 2)]
    data.upsert_bookings([*rows, booking(client_yclients_id=6)])

    assert records(data.bookings.upcoming_of_client(5, now=NOON, limit=1)) == [1]


# -- days --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "moscow", "vladivostok"),
    [
        pytest.param("2031-05-11T20:59:59Z", "2031-05-11", "2031-05-12", id="before-midnight"),
        pytest.param("2031-05-11T21:00:00Z", "2031-05-12", "2031-05-12", id="midnight-in-moscow"),
        pytest.param("2031-05-12T13:59:59Z", "2031-05-12", "2031-05-12", id="same-day"),
        pytest.param("2031-05-12T14:00:00Z", "2031-05-12", "2031-05-13", id="midnight-in-vladivostok"),
    ],
)
def test_day_of_a_booking_is_that_of_the_salon(
    data: DataLayer, other: DataLayer, at: str, moscow: str, vladivostok: str
) -> None:
    """M-16: dates were shifted by a day. Each salon has its own."""
    moment = dt.datetime.fromisoformat(at)

    days = [str(each.upsert_booking(booking(datetime=moment)).row.date) for each in (data, other)]

    assert days == [moscow, vladivostok]


def test_day_of_a_booking_can_not_contradict_its_time(data: DataLayer) -> None:
    row = data.upsert_booking(booking(yclients_record_id=1, date=dt.date(1999, 1, 1))).row
    moved = data.upsert_booking(booking(yclients_record_id=1, staff_id=row.staff_id, datetime=NOON + 24 * HOUR)).row

    [changed] = data.bookings.update({"date": dt.date(1999, 1, 1)}, yclients_record_id=1)

    assert (row.date, moved.date, changed.date) == (DAY, DAY + dt.timedelta(days=1), DAY + dt.timedelta(days=1))


def test_last_day_of_a_range_belongs_to_it(data: DataLayer) -> None:
    """L19, L20: the end was compared as an instant, so that its day was lost."""
    late = dt.datetime(2031, 5, 12, 20, 59, tzinfo=dt.UTC)
    data.upsert_bookings(
        [
            booking(yclients_record_id=1),
            booking(yclients_record_id=2, datetime=late, status="completed"),
            booking(yclients_record_id=3, datetime=late + HOUR),
        ]
    )

    assert records(data.get_bookings_on_days(DAY, DAY)) == [1, 2]
    assert records(data.get_bookings_on_days(DAY, DAY, status="completed")) == [2]
    assert records(data.get_bookings_on_days(DAY, DAY + dt.timedelta(days=1))) == [1, 2, 3]


def test_old_bookings_of_this_salon_alone_are_deleted(data: DataLayer, other: DataLayer) -> None:
    """2.3: those of all salons were deleted, and those without a date never."""
    for each in (data, other):
        each.upsert_bookings([booking(datetime=NOON - 24 * HOUR), booking(datetime=NOON)])

    assert data.bookings.delete_before(DAY) == 1
    assert [len(each.get_bookings()) for each in (data, other)] == [1, 2]


# -- storing -----------------------------------------------------------------------------------------------------------


def test_new_booking_comes_back_as_it_was_given(data: DataLayer) -> None:
    """L2, L3, L12, L23, L24: staff_id and the lists included."""
    given = {
        "client_name": "[TEST] Анна Ё",
        "client_yclients_id": 2**40,
        "staff_name": "[TEST] Мастер",
        "services": ["Стрижка, мужская", 'a "b"', "{}"],
        "service_ids": [1, 2**40],
        "cost": Decimal("4500.00"),
        "prepaid": Decimal("0.50"),
        "visit_attendance": -1,
        "comment": "",
        "online": True,
        "record_hash": "0042",
        "created_by_bot": True,
    }

    row = data.upsert_booking(booking(**given)).row

    assert {name: getattr(row, name) for name in given} == given
    assert data.get_booking(row.yclients_record_id) == row


def test_known_booking_is_updated_in_place(data: DataLayer) -> None:
    """L13, B12."""
    before = data.upsert_booking(booking(yclients_record_id=1, staff_id=4)).row

    done = data.upsert_booking(booking(yclients_record_id=1, staff_id=4, comment="new"))

    assert (done.status, done.row.id, done.row.comment) == ("updated", before.id, "new")


@pytest.mark.parametrize("name", ["yclients_record_id", "company_id"])
def test_both_parts_of_the_key_are_needed(db: Database, name: str) -> None:
    """L14, L15."""
    row = {"yclients_record_id": 1, "company_id": COMPANY, "staff_id": 1, "datetime": NOON, "duration": 60}
    del row[name]

    with pytest.raises(StatementRefused):
        Bookings(db).upsert(row)


def test_many_are_stored_at_once(data: DataLayer) -> None:
    """L21."""
    rows = [booking() for _ in range(45)]

    assert (data.upsert_bookings(rows).inserted, data.upsert_bookings(rows).unchanged) == (45, 45)


def test_pages_go_by_time(data: DataLayer) -> None:
    data.upsert_bookings([booking(yclients_record_id=n, datetime=NOON + n * HOUR) for n in (3, 1, 2)])

    first = data.get_bookings(limit=2)

    assert (records(first), records(data.get_bookings(after=first[-1]))) == ([1, 2], [3])


def test_status_changes(data: DataLayer) -> None:
    """L16, L18."""
    data.upsert_booking(booking(yclients_record_id=1))

    assert [data.set_booking_status(1, status).status for status in STATUSES] == list(STATUSES)


def test_status_that_is_none_is_refused(data: DataLayer) -> None:
    """L17; a list with NULL in it made the earlier CHECK accept anything."""
    data.upsert_booking(booking(yclients_record_id=1))

    with pytest.raises(CheckFailed) as caught:
        data.set_booking_status(1, "gone")  # type: ignore[arg-type]

    assert caught.value.constraint == "bookings_status_check"


def test_status_of_another_salons_booking_does_not_change(data: DataLayer, other: DataLayer) -> None:
    """2.3: it changed the booking of every salon."""
    other.upsert_booking(booking(yclients_record_id=1))

    with pytest.raises(BookingMissing):
        data.set_booking_status(1, "cancelled")
    assert other.get_booking(1).status == "active"  # type: ignore[union-attr]


def test_booking_of_no_salon_is_refused_for_the_salon(db: Database) -> None:
    with pytest.raises(ForeignKeyMissing) as caught:
        DataLayer(db, -404).upsert_booking(booking())

    assert caught.value.constraint == "bookings_company_id_fkey"


# -- one person, one client at a time ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begin", "minutes"),
    [
        pytest.param(NOON, 60, id="same"),
        pytest.param(NOON + dt.timedelta(minutes=59), 60, id="end"),
        pytest.param(NOON - dt.timedelta(minutes=59), 60, id="begin"),
        pytest.param(NOON + dt.timedelta(minutes=10), 10, id="within"),
        pytest.param(NOON - HOUR, 240, id="around"),
    ],
)
def test_live_bookings_of_one_person_never_overlap(data: DataLayer, begin: dt.datetime, minutes: int) -> None:
    data.upsert_booking(booking(staff_id=4))

    with pytest.raises(ExclusionConflict) as caught:
        data.upsert_booking(booking(staff_id=4, datetime=begin, duration=60 * minutes))

    assert caught.value.constraint == "bookings_staff_overlap"


@pytest.mark.parametrize(
    "second",
    [
        pytest.param({"datetime": NOON + HOUR}, id="right-after"),
        pytest.param({"datetime": NOON - HOUR}, id="right-before"),
        pytest.param({"staff_id": 5}, id="another-person"),
        pytest.param({"status": "cancelled"}, id="cancelled"),
        pytest.param({"status": "no_show"}, id="no-show"),
        pytest.param({"duration": 0}, id="takes-no-time"),
    ],
)
def test_what_does_not_overlap_is_stored(data: DataLayer, second: dict[str, object]) -> None:
    data.upsert_booking(booking(staff_id=4))

    assert data.upsert_booking(booking(**{"staff_id": 4} | second)).status == "inserted"


def test_people_of_two_salons_may_have_one_id(data: DataLayer, other: DataLayer) -> None:
    for each in (data, other):
        each.upsert_booking(booking(staff_id=4))

    assert [len(each.get_bookings()) for each in (data, other)] == [1, 1]


def test_booking_that_comes_back_to_life_must_find_its_time_free(data: DataLayer) -> None:
    data.upsert_booking(booking(yclients_record_id=1, staff_id=4, status="cancelled"))
    data.upsert_booking(booking(staff_id=4))

    with pytest.raises(ExclusionConflict):
        data.set_booking_status(1, "active")


def test_two_bookings_may_change_places_in_one_call(data: DataLayer) -> None:
    pair = [booking(yclients_record_id=n, staff_id=4, datetime=NOON + n * HOUR) for n in (1, 2)]
    data.upsert_bookings(pair)

    swapped = [booking(yclients_record_id=3 - n, staff_id=4, datetime=NOON + n * HOUR) for n in (1, 2)]

    assert data.upsert_bookings(swapped).updated == 2


def test_partial_batch_rejects_the_overlap_alone(data: DataLayer) -> None:
    """W-R34."""
    rows = [booking(yclients_record_id=n, staff_id=4, datetime=NOON + n * HOUR / 2) for n in (0, 1, 2, 4)]

    done = data.upsert_bookings(rows, partial=True)

    assert done.inserted == 3
    assert [(bad.sqlstate, bad.constraint) for bad in done.rejected] == [("23P01", "bookings_staff_overlap")]


def test_of_two_at_once_one_is_refused(committing: Database) -> None:
    """Whoever looks first whether the time is free is told the truth of a moment ago; the constraint is not."""
    data = DataLayer(committing, COMPANY)
    data.upsert_booking(booking(yclients_record_id=1, staff_id=4, datetime=NOON + 9 * HOUR))

    def attempt(_: int) -> bool:
        try:
            return data.upsert_booking(booking(staff_id=4)).status == "inserted"
        except ExclusionConflict:
            return False

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(attempt, range(6))) == 1
