"""Each field of an object at YClients has one place in its row, and nothing else has."""

import datetime as dt
import json
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from ai_admin.bookings import Booking
from ai_admin.clients import Client
from ai_admin.companies import Company
from ai_admin.schedules import Schedule
from ai_admin.services import Service
from ai_admin.staff import StaffMember
from ai_admin.sync import rows
from ai_admin.sync.payloads import (
    ClientPayload,
    CompanyPayload,
    DayPayload,
    RecordPayload,
    RecordServicePayload,
    ServicePayload,
    StaffPayload,
    decode,
)
from trueup.tables import UNSET

NOON = dt.datetime(2031, 5, 12, 9, tzinfo=dt.UTC)
MOSCOW = ZoneInfo("Europe/Moscow")
DAY = dt.date(2031, 5, 12)
ANNA = StaffMember(yclients_id=8886, name="Анна")

service_row = partial(rows.service_row, categories={5: "Маникюр"})
booking_row = partial(rows.booking_row, zone=MOSCOW, now=NOON)
KINDS = {
    "company": (CompanyPayload, rows.company_row),
    "service": (ServicePayload, service_row),
    "staff": (StaffPayload, rows.staff_row),
    "client": (ClientPayload, rows.client_row),
    "record": (RecordPayload, booking_row),
}


def row_of(kind, sent):
    payload, make = KINDS[kind]
    (item,), _ = decode(payload, [json.dumps(sent).encode()])
    return make(item)


COMPANY = {
    "id": "7",
    "title": "Салон",
    "address": " ул. Первая, 1 ",
    "phone": "+7 000 123-00-22, +7 000 123-00-23",
    "email": "salon@example.test",
    "site": "salon.example.test",
    "timezone": "Asia/Omsk",
    "schedule": "пн-вс",
    "coordinate_lat": "55.5",
    "coordinate_lon": 37.25,
    "currency_short_title": "KZT",
}
SERVICE = {
    "id": 1,
    "title": "Стрижка",
    "category_id": "5",
    "price_min": "1000.00",
    "price_max": 1300,
    "discount": 10,
    "comment": " коротко ",
    "weight": "3",
    "active": "1",
    "bookable": False,
    "duration": 60,
    "seance_length": 3600,
}
STAFF = {
    "id": 8886,
    "name": "Анна",
    "specialization": "стилист",
    "position": {"id": 1, "title": "Мастер"},
    "avatar": "/a.png",
    "avatar_big": "/b.png",
    "information": "<p>5 лет</p>",
    "comment": "заметка",
    "rating": 4.567,
    "votes_count": 12,
    "comments_count": 3,
    "hidden": 0,
    "fired": 0,
    "bookable": True,
    "phone": "8 (000) 123-00-22",
    "email": "anna@example.test",
    "services_links": [{"service_id": 2}, {"service_id": 1}],
}
CLIENT = {
    "id": 66,
    "name": "Мария",
    "display_name": "Маша",
    "phone": "8 (000) 123-00-22",
    "email": "maria@example.test",
    "comment": "без кофе",
    "discount": "5",
    "visits_count": 3,
    "visits": 9,
    "sold_amount": "1000",
    "spent": "7",
    "first_visit_date": "2030-01-02",
    "last_visit_date": "2031-02-03 10:00:00",
    "status": "blocked",
    "custom_fields": {"cup": "big"},
}
RECORD = {
    "id": 5,
    "staff_id": 8886,
    "staff": {"id": 8886, "name": "Анна"},
    "services": [
        {"id": 1, "title": "Стрижка", "cost": "1000.50", "amount": 2, "seance_length": 1800},
        {"id": 2, "title": "Мытьё", "cost": 100, "seance_length": 600},
    ],
    "client": {"id": 66, "name": "Мария", "display_name": "Маша", "phone": "8 (000) 123-00-22"},
    "date": "2031-05-12 23:00:00",
    "datetime": "2031-05-12T12:00:00+0300",
    "seance_length": 3600,
    "length": 60,
    "attendance": 0,
    "visit_attendance": 2,
    "comment": " тихо ",
    "online": True,
    "prepaid": "100",
    "record_hash": "abc",
    "deleted": False,
}
WHOLE = {
    "company": (
        COMPANY,
        Company(
            company_id=7,
            title="Салон",
            address="ул. Первая, 1",
            phone="+7 000 123-00-22, +7 000 123-00-23",
            email="salon@example.test",
            website="salon.example.test",
            timezone="Asia/Omsk",
            working_hours="пн-вс",
            coordinate_lat=Decimal("55.5000000"),
            coordinate_lon=Decimal("37.2500000"),
            currency="KZT",
            raw_data=COMPANY,
        ),
    ),
    "service": (
        SERVICE,
        Service(
            yclients_id=1,
            title="Стрижка",
            category_id=5,
            category_title="Маникюр",
            price_min=Decimal("1000.00"),
            price_max=Decimal("1300.00"),
            discount=Decimal("10.00"),
            duration=3600,
            seance_length=3600,
            is_active=True,
            is_bookable=False,
            description="коротко",
            weight=3,
            raw_data=SERVICE,
        ),
    ),
    "staff": (
        STAFF,
        StaffMember(
            yclients_id=8886,
            name="Анна",
            specialization="стилист",
            position="Мастер",
            is_active=True,
            is_bookable=True,
            rating=Decimal("4.57"),
            votes_count=12,
            comments_count=3,
            avatar_url="/a.png",
            information="<p>5 лет</p>",
            service_ids=[1, 2],
            email="anna@example.test",
            phone="+70001230022",
            raw_data=STAFF,
        ),
    ),
    "client": (
        CLIENT,
        Client(
            yclients_id=66,
            name="Мария",
            phone="+70001230022",
            raw_phone="8 (000) 123-00-22",
            email="maria@example.test",
            notes="без кофе",
            discount=Decimal("5.00"),
            visit_count=3,
            total_spent=Decimal("1000.00"),
            average_bill=Decimal("333.33"),
            first_visit_date=dt.date(2030, 1, 2),
            last_visit_date=dt.date(2031, 2, 3),
            status="blocked",
            blacklisted=True,
            loyalty_level="Bronze",
            client_segment="Bronze",
            preferences={"cup": "big"},
        ),
    ),
    "record": (
        RECORD,
        Booking(
            yclients_record_id=5,
            staff_id=8886,
            staff_name="Анна",
            datetime=NOON,
            duration=3600,
            client_phone="+70001230022",
            client_name="Мария",
            client_yclients_id=66,
            services=["Стрижка", "Стрижка", "Мытьё"],
            service_ids=[1, 1, 2],
            cost=Decimal("2101.00"),
            prepaid=Decimal("100.00"),
            status="active",
            visit_attendance=2,
            comment="тихо",
            online=True,
            record_hash="abc",
        ),
    ),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_every_field_is_stored_in_its_place(kind):
    sent, row = WHOLE[kind]

    assert row_of(kind, sent) == row


BARE = {
    "company": (
        {"id": 7, "title": "Салон"},
        Company(
            company_id=7,
            title="Салон",
            address=None,
            phone=None,
            email=None,
            website=None,
            working_hours=None,
            coordinate_lat=None,
            coordinate_lon=None,
            raw_data={"id": 7, "title": "Салон"},
        ),
    ),
    "service": (
        {"id": 1, "title": "Стрижка"},
        Service(
            yclients_id=1,
            title="Стрижка",
            category_id=None,
            category_title=None,
            price_min=Decimal("0.00"),
            price_max=Decimal("0.00"),
            discount=Decimal("0.00"),
            duration=None,
            seance_length=None,
            is_active=True,
            description=None,
            weight=0,
            raw_data={"id": 1, "title": "Стрижка"},
        ),
    ),
    "staff": (
        {"id": 8886, "name": "Анна"},
        StaffMember(
            yclients_id=8886,
            name="Анна",
            specialization=None,
            position=None,
            is_active=True,
            rating=None,
            votes_count=0,
            comments_count=0,
            avatar_url=None,
            information=None,
            email=None,
            phone=None,
            raw_data={"id": 8886, "name": "Анна"},
        ),
    ),
    "client": (
        {"id": 66},
        Client(
            yclients_id=66,
            name="Без имени",
            phone=None,
            raw_phone=None,
            discount=Decimal("0.00"),
            visit_count=0,
            total_spent=Decimal("0.00"),
            average_bill=Decimal("0.00"),
            first_visit_date=None,
            last_visit_date=None,
            status=None,
            blacklisted=False,
            loyalty_level="New",
            client_segment="New",
            preferences={},
        ),
    ),
    "record": (
        {"id": 5, "staff_id": 8886, "date": "2031-05-12 11:00:00"},
        Booking(
            yclients_record_id=5,
            staff_id=8886,
            staff_name=None,
            datetime=dt.datetime(2031, 5, 12, 8, tzinfo=dt.UTC),
            duration=0,
            client_phone=None,
            client_name=None,
            client_yclients_id=None,
            services=[],
            service_ids=[],
            cost=Decimal(0),
            prepaid=Decimal("0.00"),
            status="past",
            visit_attendance=None,
            comment=None,
            online=False,
            record_hash=None,
        ),
    ),
}


@pytest.mark.parametrize("kind", BARE)
def test_what_is_not_sent_is_nothing_or_left_alone(kind):
    sent, row = BARE[kind]

    assert row_of(kind, sent) == row


@pytest.mark.parametrize(
    ("kind", "sent", "field", "value"),
    [
        ("company", {"timezone": "3"}, "timezone", UNSET),
        ("company", {"timezone": "3", "timezone_name": "Asia/Omsk"}, "timezone", "Asia/Omsk"),
        ("service", {"category_id": 6}, "category_title", None),
        ("service", {"seance_length": 0}, "duration", 60),
        ("service", {"price_max": 0}, "price_max", Decimal("1000.00")),
        ("service", {"bookable": True}, "is_bookable", True),
        ("staff", {"avatar": ""}, "avatar_url", "/b.png"),
        ("staff", {"information": ""}, "information", "заметка"),
        ("staff", {"specialization": ""}, "specialization", "Мастер"),
        ("staff", {"position": []}, "position", None),
        ("staff", {"services_links": []}, "service_ids", UNSET),
        ("staff", {"fired": 1}, "is_active", False),
        ("staff", {"hidden": 1}, "is_active", False),
        ("staff", {"bookable": False}, "is_bookable", False),
        ("staff", {"phone": "none"}, "phone", None),
        ("client", {"name": " "}, "name", "Маша"),
        ("client", {"visits_count": None}, "visit_count", 9),
        ("client", {"visits_count": 0}, "visit_count", 0),
        ("client", {"visits_count": 1}, "average_bill", Decimal("1000.00")),
        ("client", {"sold_amount": None}, "total_spent", Decimal("7.00")),
        ("client", {"phone": "123"}, "raw_phone", "123"),
        ("client", {"status": "active"}, "blacklisted", False),
        ("record", {"visit_attendance": None}, "visit_attendance", 0),
        ("record", {"seance_length": None}, "duration", 60),
        ("record", {"seance_length": None, "length": None}, "duration", 4200),
        ("record", {"client": {"id": 66, "name": "", "display_name": "Маша"}}, "client_name", "Маша"),
        ("record", {"client": []}, "client_phone", None),
        ("record", {"datetime": None}, "datetime", dt.datetime(2031, 5, 12, 20, tzinfo=dt.UTC)),
        ("record", {"prepaid": True}, "prepaid", UNSET),
        ("record", {"datetime": "2031-05-12T11:00:00+03:00"}, "status", "past"),
        ("record", {"datetime": "2031-05-12T11:00:01+03:00"}, "status", "active"),
    ],
)
def test_quirk_is_understood(kind, sent, field, value):
    assert getattr(row_of(kind, WHOLE[kind][0] | sent), field) == value


@pytest.mark.parametrize(
    ("kind", "sent", "reason"),
    [
        ("company", {"coordinate_lat": "1e30"}, "coordinate_lat has too many digits"),
        ("company", {"coordinate_lon": "1e30"}, "coordinate_lon has too many digits"),
        ("company", {"coordinate_lon": "Infinity"}, "coordinate_lon has too many digits"),
        ("service", {"price_min": "1e30"}, "price_min has too many digits"),
        ("service", {"price_max": "1e30"}, "price_max has too many digits"),
        ("service", {"price_max": "NaN"}, "price_max is no number"),
        ("service", {"discount": "1e30"}, "discount has too many digits"),
        ("staff", {"rating": "1e30"}, "rating has too many digits"),
        ("client", {"sold_amount": "1e30"}, "spent has too many digits"),
        ("client", {"discount": "1e30"}, "discount has too many digits"),
        ("client", {"first_visit_date": "soon"}, "first_visit_date is no date"),
        ("client", {"last_visit_date": "soon"}, "last_visit_date is no date"),
        ("record", {"datetime": "soon"}, "datetime is no date with a time"),
        ("record", {"datetime": None, "date": "soon"}, "date is no date with a time"),
        ("record", {"prepaid": "1e30"}, "prepaid has too many digits"),
        ("record", {"services": [{"id": 1, "cost": "1e30"}]}, "services.cost has too many digits"),
    ],
)
def test_reason_names_the_field_that_is_wrong(kind, sent, reason):
    payload, make = KINDS[kind]
    items, _ = decode(payload, [json.dumps(WHOLE[kind][0] | sent).encode()])

    made, (reject,) = rows.make_rows(items, make)

    assert (made, reject.reason) == ([], reason)


@pytest.mark.parametrize(
    ("sent", "known"), [("17", 17), (17, 17), ("x", None), ("\u0661\u0667", None), (True, None), (None, None)]
)
def test_reject_has_the_id_that_could_be_read(sent, known):
    _, (reject,) = decode(ServicePayload, [json.dumps({"id": sent, "title": {}}).encode()])

    assert reject.yclients_id == known


@pytest.mark.parametrize(("amount", "units", "cost"), [(None, 1, 50), (1, 1, 50), (3, 3, 150), (0, 0, 0), (-1, 0, 0)])
def test_service_counts_as_often_as_it_is_part_of_a_record(amount, units, cost):
    service = RecordServicePayload(id=1, cost=Decimal(50), amount=amount)

    assert (rows.units(service), rows.cost_of(service)) == (units, Decimal(cost))


def test_cost_with_a_cost_per_unit_is_that_of_all_units():
    service = RecordServicePayload(id=1, cost=Decimal(150), cost_per_unit=Decimal(50), amount=3)

    assert rows.cost_of(service) == Decimal(150)


# -- days --------------------------------------------------------------------------------------------------------------


def days_of(*sent):
    items, rejects = decode(DayPayload, [json.dumps(each).encode() for each in sent])
    assert rejects == []
    return items


def test_whole_day_is_stored_in_its_place():
    slots = [{"from": "15:30", "to": "20:00"}, {"from": "10:00", "to": "14:30"}]

    found = rows.schedule_rows(days_of({"date": "2031-05-12", "is_working": 1, "slots": slots}), ANNA, DAY, DAY)

    assert found == [
        Schedule(
            yclients_staff_id=8886,
            staff_name="Анна",
            date=DAY,
            is_working=True,
            work_start=dt.time(10),
            work_end=dt.time(20),
            working_hours=slots,
        )
    ]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({"date": "soon"}, "date is no date"),
        ({"slots": [{"from": "late", "to": "20:00"}]}, "slots.from is no time"),
        ({"slots": [{"from": "10:00", "to": "late"}]}, "slots.to is no time"),
    ],
)
def test_reason_names_the_part_of_a_day_that_is_wrong(sent, reason):
    items = days_of({"date": "2031-05-12", "is_working": 1} | sent)

    with pytest.raises(ValueError, match=f"^{reason}$"):
        rows.schedule_rows(items, ANNA, DAY, DAY)


def planned(**given):
    hours = {"is_working": True, "work_start": dt.time(10), "work_end": dt.time(12)}
    return Schedule(**({"yclients_staff_id": 1, "date": DAY} | hours | given))


def booked(minutes, **given):
    row = {"staff_id": 1, "datetime": NOON, "duration": 60 * minutes, "date": DAY, "status": "active"}
    return Booking(**({"yclients_record_id": minutes} | row | given))


@pytest.mark.parametrize(
    ("schedule", "bookings", "has_slots"),
    [
        (planned(), [], True),
        (planned(), [booked(119)], True),
        (planned(), [booked(120)], False),
        (planned(), [booked(60), booked(59)], True),
        (planned(), [booked(60), booked(60)], False),
        (planned(), [booked(120, status="cancelled")], True),
        (planned(), [booked(120, status="no_show")], True),
        (planned(), [booked(120, staff_id=2)], True),
        (planned(), [booked(120, date=DAY + dt.timedelta(days=1))], True),
        (planned(work_end=None), [booked(1200)], True),
        (planned(is_working=False), [], False),
    ],
)
def test_day_has_slots_until_its_live_bookings_fill_it(schedule, bookings, has_slots):
    (found,) = rows.with_slots([schedule], bookings)

    assert found.has_booking_slots is has_slots
    assert found.date == DAY
