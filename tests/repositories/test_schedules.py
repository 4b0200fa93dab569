"""Who works when."""

import datetime as dt

import pytest
from tests.repositories.rows import DAY, schedule

from ai_admin.data_layer import DataLayer
from ai_admin.schedules import Schedule
from trueup.errors import CheckFailed, InvalidData
from trueup.tables import StatementRefused

DAYS = [DAY + dt.timedelta(days=number) for number in range(4)]


def keys(schedules: list[Schedule]) -> list[tuple[int, int]]:
    return [(DAYS.index(each.date), each.yclients_staff_id) for each in schedules]


@pytest.fixture
def planned(data: DataLayer, other: DataLayer) -> DataLayer:
    """Return the data layer of a salon with two people: one works on three days, the other has one day off."""
    off = schedule(yclients_staff_id=2, date=DAYS[1], is_working=False, has_booking_slots=False)
    data.upsert_schedules([off, *(schedule(yclients_staff_id=1, date=day) for day in reversed(DAYS[:3]))])
    other.upsert_schedule(schedule(yclients_staff_id=1, date=DAYS[3]))
    return data


@pytest.mark.parametrize(
    ("options", "found"),
    [
        pytest.param({}, [(0, 1), (1, 1), (1, 2), (2, 1)], id="F1-F4-O3-O7-P13-all-by-date-then-person"),
        pytest.param({"staff_ids": [2]}, [(1, 2)], id="F2-O4-one-person"),
        pytest.param({"staff_ids": [1, 2], "is_working": True}, [(0, 1), (1, 1), (2, 1)], id="F3-O5-working"),
        pytest.param({"is_working": False}, [(1, 2)], id="off"),
        pytest.param({"staff_ids": []}, [], id="nobody"),
        pytest.param({"staff_ids": [99]}, [], id="unknown"),
        pytest.param({"limit": 2}, [(0, 1), (1, 1)], id="limit"),
    ],
)
def test_schedules_are_found(planned: DataLayer, options: dict[str, object], found: list[tuple[int, int]]) -> None:
    """W-D2: the company went to the database under a name that was not read, so that nothing was ever found."""
    assert keys(planned.get_schedules(DAYS[0], DAYS[3], **options)) == found  # type: ignore[arg-type]


def test_both_ends_of_a_range_belong_to_it(planned: DataLayer) -> None:
    """O6."""
    assert keys(planned.get_schedules(DAYS[1], DAYS[2])) == [(1, 1), (1, 2), (2, 1)]
    assert keys(planned.get_schedules(DAYS[2], DAYS[1])) == []


def test_pages_go_on_where_the_last_one_ended(planned: DataLayer) -> None:
    first = planned.get_schedules(DAYS[0], DAYS[3], limit=2)

    assert keys(planned.get_schedules(DAYS[0], DAYS[3], limit=9, after=first[-1])) == [(1, 2), (2, 1)]


def test_salon_that_is_not_there_has_no_schedules(planned: DataLayer) -> None:
    """F5, O8, P22."""
    assert DataLayer(planned.db, -404).get_schedules(DAYS[0], DAYS[3]) == []


def test_one_day_is_found_by_person_and_date(planned: DataLayer, other: DataLayer) -> None:
    """F6, F7, O9, O10, P12, W-D7."""
    assert [
        each and each.is_working for each in (planned.get_schedule(2, DAYS[1]), planned.get_schedule(2, DAYS[0]))
    ] == [
        False,
        None,
    ]
    assert other.get_schedule(1, DAYS[0]) is None


@pytest.mark.parametrize("day", ["2031-05-12", dt.datetime(2031, 5, 12, tzinfo=dt.UTC), 20310512])
def test_day_that_is_no_date_is_refused(data: DataLayer, day: object) -> None:
    """M-16: a text or an instant is no date."""
    with pytest.raises((InvalidData, StatementRefused)):
        data.get_schedule(1, day)  # type: ignore[arg-type]


def test_day_comes_back_as_given(data: DataLayer) -> None:
    """O1, O2, O15, O16, O17, P14, M-7, M-14, M-16, W-D4: yclients_staff_id; the hours with their breaks as JSON."""
    parts = [{"from": "10:00", "to": "14:30"}, {"from": "15:30", "to": "22:10"}]
    row = data.upsert_schedule(
        schedule(yclients_staff_id=2**40, staff_name="[TEST] Ёж", working_hours=parts, work_start=None, work_end=None)
    ).row

    assert (row.yclients_staff_id, row.staff_name, row.working_hours, row.work_start) == (
        2**40,
        "[TEST] Ёж",
        parts,
        None,
    )
    assert data.get_schedule(2**40, DAY) == row


def test_day_without_a_word_is_a_day_off(data: DataLayer) -> None:
    """M-20: both defaults were inverted, so that a day off could be booked."""
    row = data.upsert_schedule(Schedule(yclients_staff_id=1, date=DAY)).row

    assert (row.is_working, row.has_booking_slots) == (False, False)


def test_day_off_is_flipped(data: DataLayer) -> None:
    """8.2: a day that became a day off stayed bookable until it had passed."""
    data.upsert_schedule(schedule())

    done = data.upsert_schedule(schedule(is_working=False, has_booking_slots=False))

    assert (done.status, done.row.is_working) == ("updated", False)


def test_many_are_inserted_then_updated(data: DataLayer) -> None:
    """O11, O12, O13, I-d: the sync of schedules was dead for three weeks."""
    rows = [schedule(yclients_staff_id=staff, date=day) for staff in range(30) for day in DAYS]

    first = data.upsert_schedules(rows)
    second = data.upsert_schedules([*rows[1:], schedule(yclients_staff_id=0, date=DAYS[0], work_end=dt.time(18))])

    assert (first.inserted, second.updated, second.unchanged) == (120, 1, 119)


def test_two_salons_may_have_people_of_one_id(data: DataLayer, other: DataLayer) -> None:
    for each in (data, other):
        each.upsert_schedule(schedule(yclients_staff_id=1))

    assert [len(each.get_schedules(DAY, DAY)) for each in (data, other)] == [1, 1]


@pytest.mark.parametrize(
    ("given", "constraint"),
    [
        ({"work_start": dt.time(20), "work_end": dt.time(10)}, "staff_schedules_hours_check"),
        ({"is_working": False}, "staff_schedules_slots_check"),
    ],
)
def test_what_can_not_be_is_refused(data: DataLayer, given: dict[str, object], constraint: str) -> None:
    with pytest.raises(CheckFailed) as caught:
        data.upsert_schedule(schedule(**given))

    assert caught.value.constraint == constraint


def test_old_days_of_this_salon_alone_are_deleted(planned: DataLayer, other: DataLayer) -> None:
    """2.3, W-T2: a test deleted the day of every salon."""
    assert planned.schedules.delete_before(DAYS[1]) == 1
    assert planned.schedules.delete_before(DAYS[3]) == 3
    assert len(other.get_schedules(DAYS[0], DAYS[3])) == 1
