"""Appointments as webhooks tell of them."""

from decimal import Decimal

import pytest
from tests.repositories.rows import COMPANY, HOUR, NOON, OTHER, PHONE, appointment

from ai_admin.appointments import Appointment, Appointments
from trueup.db import Database
from trueup.errors import CheckFailed
from trueup.tables import UnknownColumn


@pytest.fixture
def appointments(db: Database) -> Appointments:
    return Appointments(db, company_id=COMPANY)


def records(found: list[Appointment]) -> list[int]:
    return [each.yclients_record_id for each in found]


def test_appointment_is_stored(appointments: Appointments) -> None:
    """G1, M-8, M-9, M-15: a row a record; its instant keeps its meaning."""
    done = appointments.store(appointment(yclients_record_id=2**33, cost=Decimal("4500.00"), client_id=2**40))

    assert done.status == "inserted"
    assert appointments.by_record(2**33) == done.row
    assert (done.row.appointment_datetime, done.row.cost) == (NOON, Decimal("4500.00"))


@pytest.mark.parametrize(
    ("raw_data", "phone"),
    [
        pytest.param({"client": {"phone": "8 000 123-00-22"}}, PHONE, id="G2"),
        pytest.param({"client": []}, None, id="empty-list-for-nobody"),
        pytest.param({"client": None}, None, id="null"),
        pytest.param({"client": {"phone": ""}}, None, id="no-phone"),
        pytest.param({"client": {"phone": "+123"}}, None, id="no-number"),
        pytest.param({"client": {"phone": 70001230022}}, None, id="a-number-for-a-text"),
        pytest.param([], None, id="list"),
    ],
)
def test_phone_comes_from_the_raw_data(appointments: Appointments, raw_data: object, phone: str | None) -> None:
    row = appointments.store(appointment(raw_data=raw_data)).row

    assert (row.client_phone, row.raw_data) == (phone, raw_data)


def test_own_phone_goes_before_the_raw_data(appointments: Appointments) -> None:
    row = appointments.store(appointment(client_phone=None, raw_data={"client": {"phone": PHONE}})).row

    assert row.client_phone is None


def test_second_time_updates(appointments: Appointments) -> None:
    """G3."""
    before = appointments.store(appointment(yclients_record_id=1, cost=Decimal(1))).row

    done = appointments.store(appointment(yclients_record_id=1, staff_id=5))

    assert (done.status, done.row.id, done.row.staff_id, done.row.cost) == ("updated", before.id, 5, 1)


def test_defaults(appointments: Appointments) -> None:
    """G4."""
    row = appointments.store(appointment()).row

    assert (row.cost, row.status, row.is_cancelled, row.deleted, row.raw_data) == (0, "confirmed", False, False, {})


def test_update_without_a_status_leaves_what_was_cancelled(appointments: Appointments) -> None:
    """2.3: it became "confirmed" again, and stayed cancelled: a row that contradicts itself."""
    appointments.store(appointment(yclients_record_id=1))
    appointments.cancel(1)

    row = appointments.store(appointment(yclients_record_id=1, cost=Decimal(5))).row

    assert (row.status, row.is_cancelled, row.cost) == ("cancelled", True, 5)


@pytest.mark.parametrize(
    "given", [{"status": "cancelled"}, {"is_cancelled": True}, {"status": "confirmed", "is_cancelled": True}]
)
def test_row_can_not_contradict_itself(appointments: Appointments, given: dict[str, object]) -> None:
    with pytest.raises(CheckFailed) as caught:
        appointments.store(appointment(**given))

    assert caught.value.constraint == "appointments_cache_cancelled_check"


def test_appointment_of_another_salon_is_not_found(appointments: Appointments, db: Database) -> None:
    """G5, G6, G14: 0 and NULL meant all salons."""
    Appointments(db, company_id=OTHER).store(appointment(yclients_record_id=1))

    assert appointments.by_record(1) is None
    assert appointments.active() == appointments.upcoming(now=NOON - HOUR) == []
    assert appointments.cancel(1) is None


def test_columns_change(appointments: Appointments) -> None:
    """G7, G8, G9: names that are none are refused before any SQL."""
    appointments.store(appointment(yclients_record_id=1))

    row = appointments.change(1, {"cost": Decimal(7), "raw_data": {"a": []}})

    assert row is not None
    assert (row.cost, row.raw_data) == (7, {"a": []})
    assert appointments.change(2, {"cost": Decimal(7)}) is None
    with pytest.raises(UnknownColumn):
        appointments.change(1, {"cost = 0 --": Decimal(7)})


@pytest.mark.parametrize("reason", [pytest.param("[TEST] болен", id="G10"), pytest.param(None, id="G11")])
def test_appointment_is_cancelled(appointments: Appointments, reason: str | None) -> None:
    appointments.store(appointment(yclients_record_id=1))

    row = appointments.cancel(1, reason)

    assert row is not None
    assert (row.status, row.is_cancelled, row.cancellation_reason) == ("cancelled", True, reason)


def test_deleted_appointment_stays(appointments: Appointments) -> None:
    """G12."""
    appointments.store(appointment(yclients_record_id=1))

    appointments.mark_deleted(1)

    row = appointments.by_record(1)
    assert row is not None
    assert (row.deleted, row.status) == (True, "confirmed")


def test_active_are_neither_deleted_nor_cancelled(appointments: Appointments) -> None:
    """G13, G15, G16, G17: cancelled ones counted as active in the future."""
    for number, hours in ((1, 3), (2, 1), (3, 2), (4, 4), (5, -1), (6, 0)):
        appointments.store(appointment(yclients_record_id=number, appointment_datetime=NOON + hours * HOUR))
    appointments.cancel(3)
    appointments.mark_deleted(4)

    assert records(appointments.active()) == [5, 6, 2, 1]
    assert records(appointments.upcoming(now=NOON)) == [2, 1]
    assert records(appointments.active(limit=2, after=appointments.by_record(6))) == [2, 1]


def test_appointment_lives(appointments: Appointments) -> None:
    """G18."""
    appointments.store(appointment(yclients_record_id=1))
    appointments.store(appointment(yclients_record_id=1, appointment_datetime=NOON + 24 * HOUR))
    upcoming = appointments.upcoming(now=NOON + HOUR)

    appointments.cancel(1, "[TEST]")

    assert records(upcoming) == [1]
    assert appointments.upcoming(now=NOON) == []
