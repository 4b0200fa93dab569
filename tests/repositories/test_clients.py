"""Clients of one salon, as the assistant finds and stores them."""

import datetime as dt
from decimal import Decimal

import pytest
from tests.repositories.rows import PHONE, client, phone

from ai_admin.data_layer import DataLayer
from ai_admin.errors import InvalidPhone
from ai_admin.phones import Phone
from trueup.errors import CheckFailed, DatabaseError
from trueup.tables import InvalidValue, StatementRefused, TenantMissing

SHAPES = ["+70001230022", "80001230022", "70001230022", "8 (000) 123-00-22", "+7 000 123 00 22", "0001230022"]


@pytest.mark.parametrize("written", SHAPES)
def test_client_is_found_by_their_phone_however_it_is_written(data: DataLayer, written: str) -> None:
    """B1, C1, C3, M1, P3, W-D1: 8… and +7… are the same person; validation called a function that did not exist."""
    data.upsert_client(client(yclients_id=4, phone="8 000 123-00-22"))

    found = data.get_client_by_phone(written)

    assert found is not None
    assert (found.yclients_id, found.phone) == (4, PHONE)


def test_unknown_phone_finds_nobody(data: DataLayer) -> None:
    """B2, C2, M2, P21."""
    data.upsert_client(client())

    assert data.get_client_by_phone(PHONE) is None


@pytest.mark.parametrize("text", ["", "abc", "+123", "+721828834101", "12345"])
def test_text_that_is_no_number_is_an_error(data: DataLayer, text: str) -> None:
    with pytest.raises(InvalidPhone) as caught:
        data.get_client_by_phone(text)

    assert not text or text not in str(caught.value)


def test_of_several_with_one_phone_the_one_who_came_last_is_found(data: DataLayer) -> None:
    """2.3: an arbitrary row was returned, of any salon."""
    for number, day in enumerate([None, dt.date(2031, 1, 1), dt.date(2030, 1, 1)], 1):
        data.upsert_client(client(yclients_id=number, phone=PHONE, last_visit_date=day))

    found = data.get_client_by_phone(PHONE)

    assert found is not None
    assert found.yclients_id == 2


def test_phone_of_another_salons_client_finds_nobody(data: DataLayer, other: DataLayer) -> None:
    """2.3: finders by phone read the rows of all salons."""
    other.upsert_client(client(phone=PHONE))

    assert data.get_client_by_phone(PHONE) is None


def test_client_is_found_by_id_in_their_salon_alone(data: DataLayer, other: DataLayer) -> None:
    """C4, C5, C6, M3, M4, P4, W-D7: the same external id in two salons is two people."""
    data.upsert_client(client(yclients_id=4, name="[TEST] ours"))
    other.upsert_client(client(yclients_id=4, name="[TEST] theirs"))

    names = [found.name if (found := each.get_client(4)) else None for each in (data, other)]

    assert names == ["[TEST] ours", "[TEST] theirs"]
    assert data.get_client(5) is None


def test_client_is_found_by_the_phone_as_the_salon_wrote_it(data: DataLayer) -> None:
    data.upsert_client(client(yclients_id=4, raw_phone="+7 (000) 1-2-3"))

    assert [found and found.yclients_id for found in map(data.clients.by_raw_phone, ["+7 (000) 1-2-3", "1"])] == [
        4,
        None,
    ]


# -- search ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "found"),
    [
        pytest.param("нна", [1, 2], id="C7-part"),
        pytest.param("АННА", [1, 2], id="C8-M5-case"),  # noqa: RUF001
        pytest.param("Пётр", [], id="C9-M6-none"),
        pytest.param("%", [], id="W-R31-percent"),
        pytest.param("_", [3], id="W-R31-underscore"),
        pytest.param("\\", [], id="W-R31-backslash"),
    ],
)
def test_search_finds_the_text_anywhere_in_the_name(data: DataLayer, name: str, found: list[int]) -> None:
    """P5, M13: Cyrillic, whatever the case; what is a pattern in SQL stands for itself."""
    for number, each in enumerate(["Анна", "Марианна", "a_b"], 1):
        data.upsert_client(client(yclients_id=number, name=each))

    assert sorted(each.yclients_id for each in data.search_clients(name)) == found


def test_search_gives_pages_by_last_visit_with_the_never_seen_last(data: DataLayer) -> None:
    """C10, C11, M7."""
    days = [None, dt.date(2031, 1, 1), dt.date(2031, 3, 1), None, dt.date(2031, 2, 1)]
    data.upsert_clients([client(yclients_id=n, last_visit_date=day) for n, day in enumerate(days)])

    first = data.search_clients("test", limit=3)
    rest = data.search_clients("test", limit=3, after=first[-1])

    assert [each.yclients_id for each in first] == [2, 4, 1]
    assert {each.yclients_id for each in rest} == {0, 3}


def test_search_keeps_to_its_salon(data: DataLayer, other: DataLayer) -> None:
    other.upsert_client(client())

    assert data.search_clients("TEST") == []


# -- all of them -------------------------------------------------------------------------------------------------------


def test_pages_give_every_client_once(data: DataLayer, other: DataLayer) -> None:
    """B8, B9, W-R29: a page needs a stable order; the 1,000-row cap lost 304 of 1,304 clients."""
    data.upsert_clients([client(yclients_id=number) for number in range(1, 251)])
    other.upsert_client(client())

    seen, page = [], data.get_clients()
    while page:
        seen += [each.yclients_id for each in page]
        page = data.get_clients(after=page[-1])

    assert seen == list(range(1, 251))


@pytest.mark.parametrize("limit", [-1, True, 1.5, "1"])
def test_limit_that_is_none_is_refused(data: DataLayer, limit: object) -> None:
    """W-D8, W-R29: a negative limit was made positive."""
    with pytest.raises(StatementRefused, match="limit must be an int of at least 0"):
        data.get_clients(limit=limit)  # type: ignore[arg-type]


def test_limit_zero_is_zero(data: DataLayer) -> None:
    """W-D8: zero became the default."""
    data.upsert_client(client())

    assert data.get_clients(limit=0) == []


# -- storing -----------------------------------------------------------------------------------------------------------

EVERYTHING = {
    "email": "test@example.org",
    "discount": Decimal("12.50"),
    "branch_ids": [1, 2**40],
    "tags": ["vip", 'quo"te', "a,b", "NULL", ""],
    "status": "active",
    "source": "whatsapp",
    "visit_count": 3,
    "total_spent": Decimal("12345.67"),
    "first_visit_date": dt.date(2030, 1, 31),
    "last_visit_date": dt.date(2031, 2, 28),
    "last_services": ["Стрижка", "{}"],
    "visit_history": [{"date": "2031-02-28", "cost": 10.5, "services": ["a"]}],
    "preferences": {},
    "last_sync_at": dt.datetime(2031, 2, 28, 21, 30, tzinfo=dt.UTC),
    "loyalty_level": "VIP",
    "average_bill": Decimal("0.01"),
    "favorite_staff_ids": [1_430_000_000_000],
    "preferred_time_slots": ["10:00"],
    "blacklisted": True,
    "notes": "Ёлка 🎄 'quoted' \\ \n second line",
    "ai_context": {"a": [None, {"b": "ё"}], "0": "7"},
    "ai_satisfaction_score": Decimal("4.75"),
    "goods_purchases": [],
}


def test_new_client_comes_back_as_it_was_given(data: DataLayer) -> None:
    """B11, B13, C12, M8, P8, W-R16, M-13, M-23: lists, JSON and dates included; [] stays [], digits stay a text."""
    done = data.upsert_client(client(yclients_id=2**33, **EVERYTHING))

    assert done.status == "inserted"
    stored = data.get_client(2**33)
    assert stored == done.row
    assert {name: getattr(stored, name) for name in EVERYTHING} == EVERYTHING


def test_known_client_is_updated_in_place(data: DataLayer) -> None:
    """B12, C13, C14, M9: recognised by id and salon; what is not given is left alone."""
    before = data.upsert_client(client(yclients_id=4, name="[TEST] Анна", notes="knows us")).row

    done = data.upsert_client(client(yclients_id=4, name="[TEST] Анна Новая"))

    assert done.status == "updated"
    assert (done.row.id, done.row.name, done.row.notes) == (before.id, "[TEST] Анна Новая", "knows us")


def test_unchanged_client_is_not_written(data: DataLayer) -> None:
    row = client(visit_count=1)
    before = data.upsert_client(row).row

    again = data.upsert_client(row)

    assert (again.status, again.row) == ("unchanged", before)


def test_client_made_by_the_assistant_keeps_that_mark_when_synced(data: DataLayer) -> None:
    """8.2: each sync overwrote it."""
    data.upsert_client(client(yclients_id=4, created_by_ai=True))

    done = data.upsert_client(client(yclients_id=4, created_by_ai=False, name="[TEST] synced"))

    assert (done.row.name, done.row.created_by_ai) == ("[TEST] synced", True)


def test_defaults_are_those_of_the_source(data: DataLayer) -> None:
    """M-20: defaults had been lost or inverted."""
    row = data.upsert_client(client()).row

    assert (row.loyalty_level, row.client_segment, row.source) == ("Bronze", "New", "yclients")
    assert (row.tags, row.branch_ids, row.visit_history, row.preferences) == ([], [], [], {})
    assert (row.discount, row.total_spent, row.visit_count, row.blacklisted) == (0, 0, 0, False)


def test_client_without_a_number_is_stored_without(data: DataLayer) -> None:
    """8.2, P24: an invalid phone became NULL, which the table refused, and the whole batch was lost."""
    row = data.upsert_client(client(phone=None, raw_phone="none yet", email=None)).row

    assert (row.phone, row.raw_phone, row.email) == (None, "none yet", None)


def test_null_is_stored_and_found_as_null(data: DataLayer) -> None:
    """B22, M12, P24, W-R5."""
    data.upsert_clients([client(yclients_id=1, email=None), client(yclients_id=2, email="test@example.org")])

    assert [each.yclients_id for each in data.clients.find_many(email=None)] == [1]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        pytest.param({"discount": Decimal(101)}, CheckFailed, id="discount"),
        pytest.param({"visit_count": -1}, CheckFailed, id="visits"),
        pytest.param({"yclients_id": 2**63}, InvalidValue, id="M-17-bigint"),
        pytest.param({"last_sync_at": dt.datetime(2031, 1, 1)}, InvalidValue, id="M-15-naive"),  # noqa: DTZ001
        pytest.param({"tags": "vip"}, InvalidValue, id="W-R7-text-for-list"),
        pytest.param({"visit_count": 2**31}, InvalidValue, id="int4"),
        pytest.param({"name": "a\0b"}, InvalidValue, id="nul"),
    ],
)
def test_bad_value_is_refused(data: DataLayer, given: dict[str, object], error: type[DatabaseError]) -> None:
    with pytest.raises(error):
        data.upsert_client(client(**given))


def test_repository_of_a_salon_refuses_the_row_of_another(data: DataLayer) -> None:
    with pytest.raises(TenantMissing):
        data.upsert_client(client(company_id=-99))


def test_phone_that_is_no_number_is_not_stored(data: DataLayer) -> None:
    with pytest.raises(InvalidPhone):
        data.upsert_client(client(phone="+123"))


# -- many at once ------------------------------------------------------------------------------------------------------


def test_many_are_inserted_then_updated_then_unchanged(data: DataLayer) -> None:
    """B14, B15, C15, C16, M10, M11, P9: counts are exact; ids stay."""
    rows = [client(yclients_id=number) for number in range(3)]

    first = data.upsert_clients(rows)
    ids = [each.id for each in data.get_clients()]
    second = data.upsert_clients([rows[0], rows[1], client(yclients_id=2, name="[TEST] new", phone=rows[2].phone)])

    assert (first.inserted, first.updated, first.unchanged) == (3, 0, 0)
    assert (second.inserted, second.updated, second.unchanged) == (0, 1, 2)
    assert [each.id for each in data.get_clients()] == ids


def test_none_at_once_is_nothing(data: DataLayer) -> None:
    """B16, C17, A17, P23."""
    assert data.upsert_clients([]) == data.upsert_clients(iter(()))


def test_more_than_five_hundred_are_no_error(data: DataLayer) -> None:
    """A18, B17, W-R14: 501 rows were refused; 39 columns of 2,000 rows exceeded the number of parameters."""
    done = data.upsert_clients(client(yclients_id=number, tags=["a"], notes="n") for number in range(2_000))

    assert done.inserted == 2_000


def test_one_bad_row_stops_all(data: DataLayer) -> None:
    with pytest.raises(CheckFailed) as caught, data.db.transaction():
        data.upsert_clients([client(), client(discount=Decimal(101))])

    assert caught.value.constraint == "clients_discount_check"
    assert data.get_clients() == []


def test_bad_rows_come_back_and_the_others_are_stored(data: DataLayer) -> None:
    """W-R34, 8.3: one bad row lost 49 good ones, and success was reported."""
    rows = [client(yclients_id=number) for number in range(10)]
    rows[3] = client(yclients_id=3, discount=Decimal(-1))
    rows[5] = client(yclients_id=5, phone="+123")
    rows[8] = client(yclients_id=8, name="a\0b")

    done = data.upsert_clients(rows, partial=True)

    assert done.inserted == 7
    assert [(bad.position, bad.key, bad.sqlstate, bad.constraint or bad.column) for bad in done.rejected] == [
        (3, (3, -7), "23514", "clients_discount_check"),
        (5, (5, -7), "23514", "clients_phone_check"),
        (8, (8, -7), "22P05", "name"),
    ]


def test_rows_of_one_batch_may_set_different_columns(data: DataLayer) -> None:
    """W-R12: the first row's columns won; what others lacked was overwritten with NULL."""
    data.upsert_clients([client(yclients_id=1, notes="kept"), client(yclients_id=2, notes="old")])

    data.upsert_clients([client(yclients_id=1, name="[TEST] b"), client(yclients_id=2, notes=None)])

    assert [each.notes for each in data.get_clients()] == ["kept", None]


def test_phones_of_a_batch_are_normalised(data: DataLayer) -> None:
    data.upsert_clients([client(yclients_id=1, phone="8 000 123 00 22"), client(yclients_id=2, phone=Phone(phone()))])

    assert all(each.phone is not None and each.phone.startswith("+7000") for each in data.get_clients())
