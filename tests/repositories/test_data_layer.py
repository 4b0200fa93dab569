"""The whole API: every method keeps to its salon, fails by an exception, and is reported once under its name."""

import datetime as dt
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.observe.conftest import receiver, track  # noqa: F401
from tests.integration.observe.receiver import Receiver
from tests.repositories.rows import (
    COMPANY,
    DAY,
    NOON,
    PHONE,
    booking,
    client,
    company,
    dialog,
    schedule,
    service,
    staff_member,
)

from ai_admin.data_layer import DataLayer
from trueup import observe
from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.errors import (
    ConnectionFailed,
    DatabaseError,
    ExclusionConflict,
    SchemaMismatch,
    StatementTimeout,
    UsageError,
)
from trueup.servers import EmbeddedServer
from trueup.settings import DatabaseSettings

CALLS: dict[str, Callable[[DataLayer], object]] = {
    "get_company": lambda data: data.get_company(),
    "update_company": lambda data: data.update_company({"title": "[TEST]"}),
    "upsert_company": lambda data: data.upsert_company(company(company_id=data.company_id)),
    "get_today": lambda data: data.get_today(),
    "get_clients": lambda data: data.get_clients(),
    "get_client": lambda data: data.get_client(1),
    "get_client_by_phone": lambda data: data.get_client_by_phone(PHONE),
    "search_clients": lambda data: data.search_clients("TEST"),
    "upsert_client": lambda data: data.upsert_client(client(yclients_id=1, phone=PHONE)),
    "upsert_clients": lambda data: data.upsert_clients([client()]),
    "get_services": lambda data: data.get_services(),
    "get_all_services": lambda data: data.get_all_services(),
    "get_service": lambda data: data.get_service(1),
    "get_services_in_category": lambda data: data.get_services_in_category(1),
    "upsert_service": lambda data: data.upsert_service(service(yclients_id=1, category_id=1)),
    "upsert_services": lambda data: data.upsert_services([service()]),
    "replace_services": lambda data: data.replace_services([service(yclients_id=1, category_id=1)]),
    "get_staff": lambda data: data.get_staff(),
    "get_all_staff": lambda data: data.get_all_staff(),
    "get_staff_member": lambda data: data.get_staff_member(1),
    "upsert_staff_member": lambda data: data.upsert_staff_member(staff_member(yclients_id=1)),
    "upsert_staff": lambda data: data.upsert_staff([staff_member()]),
    "replace_staff": lambda data: data.replace_staff([staff_member(yclients_id=1)]),
    "get_schedule": lambda data: data.get_schedule(1, DAY),
    "get_schedules": lambda data: data.get_schedules(DAY, DAY),
    "upsert_schedule": lambda data: data.upsert_schedule(schedule()),
    "upsert_schedules": lambda data: data.upsert_schedules([schedule(yclients_staff_id=2)]),
    "get_bookings": lambda data: data.get_bookings(),
    "get_booking": lambda data: data.get_booking(1),
    "get_bookings_on_days": lambda data: data.get_bookings_on_days(DAY, DAY),
    "get_appointments": lambda data: data.get_appointments(PHONE),
    "get_upcoming_appointments": lambda data: data.get_upcoming_appointments(PHONE, now=NOON),
    "upsert_booking": lambda data: data.upsert_booking(booking(yclients_record_id=1, staff_id=1, client_phone=PHONE)),
    "upsert_bookings": lambda data: data.upsert_bookings([booking(staff_id=3)]),
    "set_booking_status": lambda data: data.set_booking_status(1, "confirmed"),
    "book": lambda data: data.book(client(), booking(staff_id=4)),
    "reschedule_booking": lambda data: data.reschedule_booking(1, NOON + dt.timedelta(hours=2)),
    "cancel_booking": lambda data: data.cancel_booking(1),
    "get_dialog": lambda data: data.get_dialog("u"),
    "upsert_dialog": lambda data: data.upsert_dialog(dialog(user_id="u")),
    "save_messages": lambda data: data.save_messages("u", []),
    "check_health": lambda data: data.check_health(),
}
WRITES = [name for name in CALLS if not name.startswith(("get_", "search_", "check_"))]
READS = [name for name in CALLS if name.startswith(("get_", "search_")) and name not in {"get_today", "get_company"}]


def test_every_method_is_among_the_calls() -> None:
    methods = {name for name, _ in inspect.getmembers(DataLayer, inspect.isfunction) if not name.startswith("_")}

    assert methods == set(CALLS)


@pytest.mark.parametrize("name", [name for name in CALLS if name != "check_health"])
def test_call_succeeds(data: DataLayer, name: str) -> None:
    """W-D1 to W-D6: 8 to 10 of 20 methods never worked, while 24 of 24 parity tests were green."""
    for first in ("upsert_schedule", "upsert_booking"):
        CALLS[first](data)

    CALLS[name](data)


def test_what_was_written_is_read(data: DataLayer) -> None:
    """5.4: two answers that are both empty do not agree."""
    for write in [name for name in WRITES if name not in {"cancel_booking", "replace_staff", "replace_services"}]:
        CALLS[write](data)

    assert [name for name in READS if not CALLS[name](data)] == []


def test_nothing_of_one_salon_is_read_by_another(data: DataLayer, other: DataLayer) -> None:
    """W-D7: a missing company meant all of them, or none."""
    for write in WRITES:
        CALLS[write](data)

    assert [name for name in READS if CALLS[name](other)] == []


@pytest.mark.parametrize(
    "row", [client, service, staff_member, schedule, booking, dialog], ids=lambda row: row.__name__
)
def test_row_of_another_salon_is_refused(data: DataLayer, row: Callable[..., Any]) -> None:
    store = {
        "client": data.upsert_client,
        "service": data.upsert_service,
        "staff_member": data.upsert_staff_member,
        "schedule": data.upsert_schedule,
        "booking": data.upsert_booking,
        "dialog": data.upsert_dialog,
    }[row.__name__]

    with pytest.raises(UsageError):
        store(row(company_id=-8))


EARLIER = [
    "getDialogContext",
    "upsertDialogContext",
    "getClientByPhone",
    "getClientById",
    "getClientAppointments",
    "getUpcomingAppointments",
    "searchClientsByName",
    "upsertClient",
    "upsertClients",
    "getStaffById",
    "getStaff",
    "getStaffSchedule",
    "getStaffSchedules",
    "upsertStaffSchedules",
    "getServices",
    "getServiceById",
    "getServicesByCategory",
    "upsertServices",
    "getCompany",
    "upsertCompany",
    "getCompanyData",
    "getAllClients",
    "getAllServices",
    "getAllStaff",
    "upsertStaff",
    "getAllBookings",
    "healthCheck",
]


def test_reference_names_every_method_and_every_earlier_one() -> None:
    """The plan's names did not exist in the earlier code; here each leads to one that does."""
    page = (Path(__file__).parents[2] / "docs/reference/data-layer.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in page.splitlines() if line.startswith("| `")]
    named = {name for cells in rows for name in re.findall(r"^`(\w+)`$", cells[0].strip()) if name[0].islower()}
    earlier = {name for cells in rows for name in re.findall(r"`(\w+)", cells[1])}

    assert named == set(CALLS)
    assert set(EARLIER) <= earlier


# -- health ------------------------------------------------------------------------------------------------------------


def test_health_tells_how_fast_which_server_answers(committing: Database, observer: Any) -> None:
    """D9, E9, F8, L22, N14, N15, N16, O14: that the database is there is asked of itself, not of rows of production."""
    found = DataLayer(committing, COMPANY).check_health()

    assert 0 < found.latency_ms < 5_000
    assert found.server_version == observer.info.parameter_status("server_version")


@pytest.mark.usefixtures("may_connect")
def test_health_of_a_server_that_is_away_is_an_exception(tmp_path: Path) -> None:
    """W-D9: without a pool another backend was asked, in silence."""
    nowhere = ConnInfo.parse(f"host={tmp_path} dbname=salon user=nobody connect_timeout=1")
    with Database(DatabaseSettings(conninfo=nowhere, checkout_timeout_s=1)) as db, pytest.raises(DatabaseError):
        DataLayer(db, COMPANY).check_health()


def test_statement_takes_no_longer_than_it_may(committing: Database) -> None:
    """W-D10: the configured timeout did nothing."""
    with pytest.raises(StatementTimeout), committing.transaction(statement_timeout_s=0.05) as transaction:
        transaction.execute("select pg_sleep(5)")


# -- reports -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def reporting(database: ConnInfo, receiver: Receiver, track: Any) -> Iterator[DataLayer]:  # noqa: F811
    """Return a data layer that reports what fails."""
    track(receiver.dsn)
    with Database(DatabaseSettings(conninfo=database)) as db:
        yield DataLayer(db, COMPANY)


@pytest.fixture(scope="module")
def failing(server: EmbeddedServer) -> Iterator[DataLayer]:
    """Return a data layer without tables."""
    server.drop_database("bare")
    with Database(DatabaseSettings(conninfo=server.create_database("bare"))) as db:
        yield DataLayer(db, COMPANY)


def events(receiver: Receiver) -> list[dict[str, Any]]:  # noqa: F811
    """Return what arrived, without a personal value in any of it."""
    assert observe.flush(10)
    sent = b"".join(receiver.raw)
    for personal in (PHONE.strip("+"), "Petrova", "%D0", "Анна", "\\u0410"):
        assert personal.encode() not in sent
    return receiver.errors


@pytest.mark.parametrize("name", [name for name in CALLS if name != "check_health"])
def test_failure_is_reported_once_by_its_method(
    failing: DataLayer,
    receiver: Receiver,  # noqa: F811
    track: Any,  # noqa: F811
    name: str,
) -> None:
    """W-R26, W-R27, W-R28: one failure was captured two or three times, with phones and names."""
    track(receiver.dsn)

    with pytest.raises(SchemaMismatch):
        CALLS[name](failing)

    [event] = events(receiver)
    assert (event["tags"]["component"], event["tags"]["operation"]) == ("data-layer", name)
    assert event["tags"]["sqlstate"] == "42P01"


def test_conflict_is_reported_with_its_constraint_and_nothing_of_the_row(
    reporting: DataLayer,
    receiver: Receiver,  # noqa: F811
) -> None:
    reporting.upsert_booking(booking(staff_id=1))

    with pytest.raises(ExclusionConflict):
        reporting.book(client(name="Анна Petrova", phone=PHONE), booking(staff_id=1))

    [event] = events(receiver)
    assert {key: event["tags"][key] for key in ("component", "operation", "table", "constraint")} == {
        "component": "data-layer",
        "operation": "book",
        "table": "public.bookings",
        "constraint": "bookings_staff_overlap",
    }


def test_phone_that_is_no_number_is_reported_without_it(reporting: DataLayer, receiver: Receiver) -> None:  # noqa: F811
    with pytest.raises(UsageError):
        reporting.get_client_by_phone(PHONE + "000000")

    [event] = events(receiver)
    assert (event["tags"]["component"], event["tags"]["operation"]) == ("data-layer", "get_client_by_phone")


@pytest.mark.usefixtures("may_connect")
def test_server_that_is_away_is_reported_once(receiver: Receiver, track: Any, tmp_path: Path) -> None:  # noqa: F811
    track(receiver.dsn)
    nowhere = ConnInfo.parse(f"host={tmp_path} dbname=salon user=nobody connect_timeout=1")

    with Database(DatabaseSettings(conninfo=nowhere, checkout_timeout_s=1)) as db, pytest.raises(ConnectionFailed):
        DataLayer(db, COMPANY).get_clients()

    [event] = events(receiver)
    assert (event["tags"]["component"], event["tags"]["operation"]) == ("data-layer", "get_clients")
