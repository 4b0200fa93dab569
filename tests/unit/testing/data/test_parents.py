from dataclasses import dataclass

import pytest

from trueup.tables import UNSET, Follows, Table
from trueup.testing.data.parents import links_of
from trueup.testing.data.relations import Relation, Relations


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    id: int = UNSET
    company_id: int
    client_id: int
    staff_id: int | None = UNSET
    room: int


TABLE = Table("public.bookings", Booking, primary_key=("id",), tenant="company_id")
COMPANY = Relation("public.companies", {"company_id": "id"})
CLIENT = Relation("public.clients", {"company_id": "company_id", "client_id": "id"})
STAFF = Relation("public.staff", {"staff_id": "id"})
ROOM = Relation("public.rooms", {"room": "number"})
TENANTS = {"public.clients": "company_id", "public.rooms": "company_id", "public.companies": None}


@pytest.mark.parametrize(
    ("relation", "name"),
    [
        (COMPANY, "company"),
        (CLIENT, "client"),
        (STAFF, "staff"),
        (ROOM, "rooms"),
        (Relation("public.slots", {"client_id": "a", "room": "b"}), "slots"),
        (Relation("public.odd", {"_id": "id"}), "odd"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_row_is_called_as_its_column(relation, name):
    assert relation.name_in(TABLE) == name


def test_only_rows_that_are_needed_are_made_and_single_columns_come_first():
    relations = Relations({TABLE.name: (CLIENT, STAFF, COMPANY, ROOM)}, {})

    assert relations.of(TABLE) == (COMPANY, ROOM, CLIENT)


def test_marker_that_follows_needs_its_row_although_the_column_may_be_null():
    marker = Follows("public.staff", {"staff_id": "id"})
    table = Table("public.bookings", Booking, primary_key=("id",), marker=marker)

    assert Relations({}, {}).of(table) == (STAFF,)


def test_each_column_is_taken_from_one_row_and_the_tenant_shared_with_all():
    links = links_of(TABLE, (COMPANY, ROOM, CLIENT), TENANTS, ())

    assert {column: link.name for column, link in links.owners.items()} == {
        "company_id": "company",
        "room": "rooms",
        "client_id": "client",
    }
    assert [link.name for link in links.covering["company_id"]] == ["company", "rooms", "client"]


def test_declared_columns_need_no_row():
    links = links_of(TABLE, (COMPANY, CLIENT), TENANTS, {"client_id": 7, "company_id": 7})

    assert links.links == ()


@pytest.mark.parametrize(
    ("given", "column", "decides"),
    [
        ({"company_id": 1}, "company_id", True),
        ({"company__title": "x"}, "company_id", True),
        ({"client": object()}, "company_id", True),
        ({"staff_id": 1}, "company_id", False),
        ({}, "room", False),
    ],
)
def test_what_is_given_decides_the_columns_that_it_covers(given, column, decides):
    assert links_of(TABLE, (COMPANY, CLIENT, ROOM), TENANTS, ()).deciding(given, column) is decides
