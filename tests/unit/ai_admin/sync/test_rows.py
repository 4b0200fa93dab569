import datetime as dt
import json
from decimal import Decimal
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from ai_admin.staff import StaffMember
from ai_admin.sync import rows
from ai_admin.sync.payloads import (
    CategoryPayload,
    ClientPayload,
    CompanyPayload,
    DayPayload,
    RecordPayload,
    Reject,
    ServicePayload,
    StaffPayload,
    decode,
)
from ai_admin.sync.values import Unreadable, clock, day, moment
from trueup.tables import UNSET

FIXTURES = Path(__file__).parents[4] / "fixtures" / "payloads"
MOSCOW = ZoneInfo("Europe/Moscow")
NOW = dt.datetime(2031, 5, 12, 9, tzinfo=dt.UTC)


def read(name, kind, make):
    """Return the rows of an answer by their ids, and the rejects."""
    data = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))["data"]
    items, unreadable = decode(
        kind, [json.dumps(each).encode() for each in (data if isinstance(data, list) else [data])]
    )
    made, unfit = rows.make_rows(items, make)
    return made, [*unreadable, *unfit]


@pytest.fixture
def services():
    categories, _ = read("service_categories", CategoryPayload, lambda item: item.payload)
    titles = {each.id: each.title for each in categories}
    made, rejects = read("services", ServicePayload, partial(rows.service_row, categories=titles))
    assert rejects == []
    return {each.yclients_id: each for each in made}


def test_company_is_read_with_its_zone_by_name():
    (salon,), rejects = read("company", CompanyPayload, rows.company_row)

    assert rejects == []
    assert (salon.company_id, salon.timezone, salon.currency) == (4564, "Europe/Moscow", "RUB")
    assert (salon.coordinate_lat, salon.coordinate_lon) == (Decimal("55.7356620"), Decimal("37.6402000"))
    assert (salon.email, salon.website, salon.working_hours) == (None, None, "пн-вс 10:00-22:00")
    assert salon.raw_data["id"] == "4564", "what was sent is kept as it was"


def test_zone_that_is_no_name_leaves_the_stored_one():
    payload = msgspec.convert({"id": 1, "title": "x", "timezone": "3"}, CompanyPayload)

    assert rows.company_row(rows.Item(payload=payload, raw={})).timezone is UNSET


def test_services_come_with_numbers_as_texts(services):
    assert set(services) == {79067, 79068, 79069, 79070}
    assert (services[79067].price_min, services[79067].price_max) == (Decimal("1000.00"), Decimal("1300.00"))
    assert (services[79068].weight, services[79068].discount) == (0, Decimal("10.00"))
    assert [services[key].category_title for key in (79067, 79068, 79069, 79070)] == [
        "Парикмахерские услуги",
        "Парикмахерские услуги",
        "Маникюр",
        None,
    ]


def test_maximum_of_nothing_is_the_minimum(services):
    assert (services[79068].price_min, services[79068].price_max) == (Decimal("1300.00"), Decimal("1300.00"))


def test_lengths_are_seconds(services):
    assert [services[key].duration for key in (79067, 79068, 79070)] == [3600, 10800, 0]


def test_service_that_is_not_active_is_stored_as_such(services):
    assert [services[key].is_active for key in (79067, 79069)] == [True, False]


@pytest.fixture
def staff():
    made, rejects = read("staff", StaffPayload, rows.staff_row)
    assert rejects == []
    return {each.yclients_id: each for each in made}


def test_fired_and_hidden_are_the_opposite_of_active(staff):
    """M-2: a plain rename of `fired` would have turned every row."""
    assert {key: each.is_active for key, each in staff.items()} == {8886: True, 8887: True, 8888: False, 8889: False}


def test_staff_is_read_with_its_quirks(staff):
    anna, boris = staff[8886], staff[8887]

    assert (anna.specialization, anna.position, boris.specialization) == ("стилист", "Мастер", "Старший мастер")
    assert (anna.avatar_url, boris.avatar_url) == ("/images/a.png", "/images/b.png")
    assert (anna.rating, anna.comments_count) == (Decimal("4.57"), 3)
    assert anna.information == "<p>Опыт <b>5</b> лет</p>"
    assert (anna.service_ids, boris.service_ids) == ([79067, 79068], UNSET)
    assert staff[8888].position is None


@pytest.fixture
def clients():
    made, rejects = read("clients", ClientPayload, rows.client_row)
    assert rejects == []
    return {each.yclients_id - 66440300: each for each in made}


def test_phones_of_every_shape_have_one_form_and_what_is_none_is_kept_as_it_was(clients):
    assert {key: (each.phone, each.raw_phone) for key, each in clients.items()} == {
        16: ("+70001230022", "+70001230022"),
        17: ("+70001230023", "70001230023"),
        18: ("+70001230024", "8 (000) 123-00-24"),
        19: (None, "+123"),
        20: (None, None),
        21: ("+70001230025", "0001230025"),
        22: ("+8400000000", "+84 000 000 000"),
    }


def test_levels_follow_from_visits_and_money(clients):
    assert {key: each.loyalty_level for key, each in clients.items()} == {
        16: "VIP",
        17: "Gold",
        18: "Bronze",
        19: "New",
        20: "Bronze",
        21: "New",
        22: "New",
    }


@pytest.mark.parametrize(
    ("visits", "spent", "level"),
    [
        (20, 50_000, "VIP"),
        (19, 50_000, "Gold"),
        (20, 49_999, "Gold"),
        (10, 20_000, "Gold"),
        (9, 20_000, "Silver"),
        (5, 8_000, "Silver"),
        (5, 7_999, "Bronze"),
        (2, 0, "Bronze"),
        (1, 10**6, "New"),
    ],
)
def test_level_begins_at_its_bounds(visits, spent, level):
    assert rows.level_of(visits, Decimal(spent)) == level


def test_average_is_that_of_the_visits(clients):
    assert clients[16].average_bill == Decimal("2772.75")
    assert clients[19].average_bill == 0
    assert (clients[17].total_spent, clients[20].total_spent) == (Decimal("20000.00"), Decimal("100.00"))


def test_client_without_a_name_is_called_so(clients):
    assert [clients[key].name for key in (16, 18, 20)] == ["[TEST] Анна", "[TEST] Глеб", rows.NAMELESS]
    assert clients[17].name.startswith("[TEST] ")


def test_sync_says_nothing_of_what_youclients_does_not_know(clients):
    """W-R16: lists that were written empty each night had wiped the history of visits, and the assistant's mark."""
    unsaid = ("last_services", "visit_history", "created_by_ai", "source", "last_sync_at", "tags", "ai_context")

    assert {getattr(clients[16], name) for name in unsaid} == {UNSET}


def test_nothing_that_was_sent_clears_and_nothing_that_was_not_sent_does(clients):
    payload = msgspec.convert({"id": 1, "name": "x"}, ClientPayload)

    assert clients[17].email is None
    assert rows.client_row(rows.Item(payload=payload, raw={})).email is UNSET


def test_dates_begin_a_longer_text(clients):
    assert (clients[16].first_visit_date, clients[16].last_visit_date) == (dt.date(2019, 1, 16), dt.date(2031, 5, 1))
    assert (clients[18].blacklisted, clients[16].blacklisted) == (True, False)
    assert (clients[16].preferences, clients[17].preferences) == ({"любимый мастер": "Анна"}, {})


@pytest.fixture
def bookings():
    made, rejects = read("records", RecordPayload, partial(rows.booking_row, zone=MOSCOW, now=NOW))
    assert rejects == []
    return {each.yclients_record_id: each for each in made}


def test_moment_of_a_record_is_that_of_its_offset(bookings):
    """M-15: the offset was dropped, three hours were lost."""
    assert bookings[1430000001].datetime == dt.datetime(2031, 5, 12, 13, tzinfo=dt.UTC)
    assert bookings[3000000000].datetime == dt.datetime(2031, 5, 12, 9, tzinfo=dt.UTC)
    assert bookings[1430000005].datetime == dt.datetime(2019, 1, 16, 7, tzinfo=dt.UTC)


def test_moment_without_an_offset_is_on_the_clock_of_the_salon(bookings):
    assert bookings[1430000003].datetime == dt.datetime(2031, 5, 13, 7, tzinfo=dt.UTC)


def test_status_follows_from_attendance_deletion_and_time(bookings):
    assert {key: each.status for key, each in bookings.items()} == {
        1430000001: "active",
        3000000000: "confirmed",
        1430000003: "active",
        1430000004: "cancelled",
        1430000005: "completed",
        1430000006: "no_show",
        1430000007: "past",
    }


def test_costs_and_services_count_their_amount(bookings):
    assert bookings[1430000001].cost == Decimal("6300.00")
    assert (bookings[3000000000].cost, bookings[3000000000].services) == (Decimal("1000.00"), ["Маникюр"] * 2)
    assert (bookings[1430000004].cost, bookings[1430000004].service_ids) == (Decimal("1000.00"), [79067] * 2)
    assert [bookings[key].duration for key in (1430000001, 1430000003, 1430000004)] == [7200, 3600, 3600]


def test_service_of_no_length_takes_no_time():
    sent = {"id": 5, "staff_id": 1, "datetime": "2031-05-12T12:00:00+03:00", "services": [{"id": 1}, {"id": 2}]}
    payload = msgspec.convert(sent, RecordPayload)

    assert rows.booking_row(rows.Item(payload=payload, raw={}), MOSCOW, NOW).duration == 0


def test_blocked_time_has_neither_client_nor_service(bookings):
    blocked = bookings[1430000003]

    assert (blocked.client_name, blocked.client_phone, blocked.client_yclients_id) == (None, None, None)
    assert (blocked.services, blocked.cost, blocked.comment) == ([], 0, "обед")


def test_prepayment_that_is_only_a_flag_says_no_amount(bookings):
    assert bookings[1430000001].prepaid is UNSET
    assert bookings[3000000000].prepaid == Decimal("250.00")


def test_record_without_any_time_is_rejected():
    payload = msgspec.convert({"id": 5, "staff_id": 1}, RecordPayload)
    made, rejects = rows.make_rows(
        [rows.Item(payload=payload, raw={})], partial(rows.booking_row, zone=MOSCOW, now=NOW)
    )

    assert (made, rejects) == ([], [Reject(yclients_id=5, reason="datetime is missing")])


def test_what_can_not_be_understood_is_rejected_with_its_reason_and_without_its_value():
    made, rejects = read("unreadable", ServicePayload, partial(rows.service_row, categories={}))

    assert made == []
    assert [(each.yclients_id, each.reason) for each in rejects] == [
        (None, "Expected `int`, got `str` - at `$.id`"),
        (None, "Object missing required field `id`"),
        (5, "Object missing required field `title`"),
        (None, "Expected `object`, got `array`"),
        (None, "Expected `object`, got `null`"),
        (None, "Expected `object`, got `str`"),
        (6, "Invalid decimal string - at `$.price_min`"),
        (7, "price_min has too many digits"),
    ]


MEMBER = StaffMember(yclients_id=8886, name="[TEST] Анна")


@pytest.fixture
def days():
    items, rejects = decode(
        DayPayload,
        [json.dumps(each).encode() for each in json.loads((FIXTURES / "schedule.json").read_text())["data"]],
    )
    assert rejects == []
    made = rows.schedule_rows(items, MEMBER, dt.date(2031, 5, 12), dt.date(2031, 5, 16))
    return {each.date.day: each for each in made}


def test_every_day_has_a_row_and_a_day_that_is_not_sent_is_off(days):
    assert {date: each.is_working for date, each in days.items()} == {
        12: True,
        13: True,
        14: False,
        15: True,
        16: False,
    }


def test_hours_reach_from_the_first_slot_to_the_last(days):
    assert (days[12].work_start, days[12].work_end) == (dt.time(10), dt.time(22, 10))
    assert days[12].working_hours == [{"from": "10:00", "to": "14:30"}, {"from": "15:15", "to": "22:10"}]
    assert (days[13].work_start, days[13].work_end) == (dt.time(12), None)
    assert (days[14].work_start, days[14].working_hours) == (None, None)


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2019-01-16T16:00:00+09:00", 7),
        ("2019-01-16T20:35:11+0900", 11),
        ("2019-01-16 16:00:00", 13),
        ("2019-01-16 16:00", 13),
        ("2019-01-16T16:00:00", 13),
        ("2019-01-16T16:00:00Z", 16),
        ("2019-01-16", 21),
    ],
)
def test_each_shape_of_a_moment_is_read(text, hour):
    assert moment(text, MOSCOW, field="x").hour == hour


def test_moment_uses_the_offset_that_was_in_force():
    """Moscow was four hours ahead until October 2014."""
    assert moment("2014-10-20 12:00:00", MOSCOW, field="x").hour == 8
    assert moment("2014-10-30 12:00:00", MOSCOW, field="x").hour == 9


@pytest.mark.parametrize("text", ["", "soon", "2019-13-01 10:00", "16.01.2019"])
def test_what_is_no_moment_is_said_without_it(text):
    with pytest.raises(Unreadable, match="create_date is no date with a time"):
        moment(text, MOSCOW, field="create_date")


def test_moment_out_of_range_is_said():
    with pytest.raises(Unreadable, match="out of range"):
        moment("0001-01-01 00:00:00", MOSCOW, field="x")


def test_no_date_is_none_and_a_wrong_one_is_said():
    assert day(None, field="x") is None
    assert day("0000-00-00", field="x") is None
    with pytest.raises(Unreadable, match="x is no date"):
        day("tomorrow", field="x")
    with pytest.raises(Unreadable, match="x is no time"):
        clock("25:00", field="x")
