"""Conditions, orders and pages against what Python makes of the same rows."""

import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.tables.conftest import Client, Clients

from trueup.db import Connection, Database
from trueup.errors import InvalidData, SchemaMismatch, UsageError
from trueup.tables import (
    Repository,
    StatementRefused,
    Table,
    any_of,
    asc,
    between,
    contains,
    desc,
    gt,
    gte,
    ilike,
    in_,
    is_not_null,
    is_null,
    like,
    lt,
    lte,
    ne,
    not_in,
)

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
ROWS = [
    Client(phone="1", name="Ann", visits=1, tags=["a", "b"], prefs={"vip": True, "n": [1]}, seen_at=NOON),
    Client(phone="2", name="50%_off", visits=2, tags=["b,c"], prefs={"vip": False}, seen_at=None),
    Client(phone="3", name=None, visits=3, tags=[], prefs=[], seen_at=NOON),
    Client(phone="4", name="anna", visits=4, tags=["a"], prefs={"vip": True}, seen_at=None),
    Client(phone="5", name="50x off", visits=5, tags=["c"], prefs={}, seen_at=None, company_id=8),
]

MATCHES: dict[str, tuple[dict[str, object], str]] = {
    "equality": ({"visits": 2}, "2"),
    "None": ({"name": None}, "3"),
    "a datetime alone (W-R3)": ({"seen_at": NOON}, "13"),
    "a datetime among others (W-R3)": ({"seen_at": NOON, "visits": gte(2)}, "3"),
    "ne finds NULL (W-R6)": ({"name": ne("Ann")}, "234"),
    "ne None (W-R6)": ({"name": ne(None)}, "124"),
    "gt": ({"visits": gt(2)}, "34"),
    "gte": ({"visits": gte(2)}, "234"),
    "lt": ({"visits": lt(2)}, "1"),
    "lte": ({"visits": lte(2)}, "12"),
    "joined": ({"visits": gt(1) & lt(4)}, "23"),
    "between": ({"visits": between(2, 3)}, "23"),
    "in (W-R7)": ({"visits": in_([1, 4, 9])}, "14"),
    "not in keeps NULL": ({"name": not_in(["Ann"])}, "234"),
    "like": ({"name": like("%nn%")}, "14"),
    "ilike": ({"name": ilike("an%")}, "14"),
    "contains is escaped (W-R31)": ({"name": contains("0%_o")}, "2"),
    "contains whatever the case": ({"name": contains("AN")}, "14"),
    "contains nothing": ({"name": contains("")}, "124"),
    "array has all": ({"tags": contains(["a", "b"])}, "1"),
    "array has any": ({"tags": any_of(["a", "b,c"])}, "124"),
    "array equals": ({"tags": []}, "3"),
    "jsonb contains": ({"prefs": contains({"vip": True})}, "14"),
    "jsonb equals an empty list": ({"prefs": []}, "3"),
    "is null": ({"seen_at": is_null()}, "24"),
    "is not null": ({"seen_at": is_not_null()}, "13"),
}


@pytest.fixture
def filled(clients: Clients) -> Clients:
    clients.bulk_upsert(ROWS)
    return clients


@pytest.mark.parametrize(("conditions", "phones"), MATCHES.values(), ids=MATCHES.keys())
def test_condition_finds_its_rows_and_no_others(filled: Clients, conditions: dict[str, object], phones: str):
    found = filled.find_many(company_id=7, order_by="phone", **conditions)

    assert "".join(client.phone for client in found) == phones
    assert filled.count(company_id=7, **conditions) == len(phones)
    assert filled.exists(company_id=7, **conditions)


def test_find_one_returns_the_row_or_none(filled: Clients):
    found = filled.find_one(company_id=7, phone="1")

    assert found
    assert (found.name, found.tags, found.prefs, found.seen_at) == ("Ann", ["a", "b"], {"vip": True, "n": [1]}, NOON)
    assert filled.find_one(company_id=7, phone="5") is None


def test_find_one_of_several_is_the_first_in_order(filled: Clients):
    """W-R: findOne is LIMIT 1 without ORDER BY."""
    assert filled.find_one(company_id=7, seen_at=None).phone == "2"  # type: ignore[union-attr]
    assert filled.find_one(company_id=7, order_by="-visits").phone == "4"  # type: ignore[union-attr]


def test_numbers_come_back_as_numbers(filled: Clients):
    """W-R32: NUMERIC and COUNT come back as strings."""
    filled.update({"spent": Decimal("10.50")}, company_id=7, phone="1")

    assert repr(filled.find_one(company_id=7, phone="1").spent) == "Decimal('10.50')"  # type: ignore[union-attr]
    assert type(filled.count(company_id=7)) is int


PAGES = [{"limit": -1}, {"offset": -1}, {"limit": "3"}, {"limit": 1.0}, {"limit": True}, {"limit": 1 << 63}]


@pytest.mark.parametrize("page", PAGES)
def test_page_that_is_none_is_refused(clients: Clients, page: dict[str, Any]):
    """W-R29: limit null or NaN becomes LIMIT NaN; a negative limit is an SQL error."""
    with pytest.raises(StatementRefused, match="must be an int"):
        clients.find_many(company_id=7, **page)


def test_offset_without_limit_counts(filled: Clients):
    """W-R29: offset without limit is ignored."""
    assert [client.phone for client in filled.find_many(company_id=7, offset=2)] == ["3", "4"]
    assert filled.find_many(company_id=7, limit=0) == []


def test_column_named_like_an_option_is_found_by_a_mapping(db: Database, observer: Connection):
    @dataclass
    class Odd:
        limit: int
        order_by: str

    observer.execute('create table odd ("limit" bigint primary key, order_by text not null)')
    odd = Repository(db, Table("public.odd", Odd, primary_key=("limit",)))
    odd.insert(Odd(limit=3, order_by="x"))

    assert odd.find_many({"limit": 3}, limit=5) == [Odd(3, "x")]
    with pytest.raises(StatementRefused, match="given twice"):
        odd.count({"order_by": "x"}, order_by="y")


def test_reserved_and_mixed_case_names_work(db: Database, observer: Connection):
    """W-R2: no quoting, so reserved words and mixed case break."""

    @dataclass
    class User:
        select: int
        Name: str

    observer.execute('create schema "Order"')
    observer.execute('create table "Order"."user" ("select" bigint primary key, "Name" text not null)')
    users = Repository(db, Table("Order.user", User, primary_key=("select",)))

    assert users.upsert(User(1, "a")).status == "inserted"
    assert users.bulk_upsert([User(1, "b"), User(2, "c")]).updated == 1
    assert users.find_many(Name=ne("x"), order_by="-select") == [User(2, "c"), User(1, "b")]


def test_infinity_is_an_error_that_says_so(db: Database, observer: Connection):
    @dataclass
    class Day:
        id: int
        day: date

    observer.execute("create table days (id bigint primary key, day date not null)")
    observer.execute("insert into days values (1, 'infinity'), (2, '2024-01-01'), (3, '10000-01-01')")
    days = Repository(db, Table("public.days", Day, primary_key=("id",)))

    for number in (1, 3):
        with pytest.raises(InvalidData, match="outside the years 1 to 9999"):
            days.find_one(id=number)
    assert days.find_one(id=2) == Day(2, date(2024, 1, 1))


def test_contract_that_the_table_does_not_keep_is_a_schema_mismatch(clients: Clients, observer: Connection):
    observer.execute("alter table clients drop column tags")

    with pytest.raises(SchemaMismatch):
        clients.find_many(company_id=7)


# -- keyset pages ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Item:
    id: int
    a: int | None
    b: str | None
    c: int


ITEMS = Table("public.items", Item, primary_key=("id",))
SMALL = st.one_of(st.none(), st.integers(0, 2))
LINES = st.lists(st.tuples(SMALL, SMALL.map(lambda n: n if n is None else "xyz"[n]), st.integers(0, 2)), max_size=12)
DIRECTIONS = st.sampled_from([asc, desc])
NULLS = st.sampled_from(["first", "last"])
ORDER = st.permutations(["a", "b", "c"]).flatmap(
    lambda names: st.tuples(
        *(st.builds(lambda make, nulls, name=name: make(name, nulls=nulls), DIRECTIONS, NULLS) for name in names)
    )
)


@pytest.fixture
def items(db: Database, observer: Connection) -> Repository[Item]:
    observer.execute('create table items (id bigint primary key, a bigint, b text collate "C", c bigint not null)')
    return Repository(db, ITEMS)


def in_order(rows: list[Item], orders: Any) -> list[Item]:
    """Sort as the order says, by hand: the last column first, each sort stable."""
    descending = orders[-1].descending
    ordered = sorted(rows, key=lambda row: row.id, reverse=descending)
    for order in reversed(orders):
        value = lambda row, order=order: getattr(row, order.column)  # noqa: E731
        present = [row for row in ordered if value(row) is not None]
        absent = [row for row in ordered if value(row) is None]
        present = sorted(present, key=value, reverse=order.descending)
        ordered = absent + present if order.nulls == "first" else present + absent
    return ordered


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES, orders=ORDER, size=st.integers(1, 4))
def test_pages_give_every_row_once_in_order(items: Repository[Item], lines: Any, orders: Any, size: int):
    """W-R29: pages by offset skip and repeat rows; NULLs and mixed directions break naive keysets."""
    rows = [Item(i, *line) for i, line in enumerate(lines)]
    items.delete(id=gte(0))
    items.bulk_upsert(rows)

    pages: list[Item] = []
    while (page := items.find_many(order_by=orders, limit=size, after=pages[-1] if pages else None)) and len(
        pages
    ) < 99:
        pages += page

    assert pages == in_order(rows, orders)
    assert items.find_many(order_by=orders) == pages


def test_page_after_values_that_a_client_kept(items: Repository[Item]):
    items.bulk_upsert([Item(i, 1, None, 0) for i in range(5)])

    assert [row.id for row in items.find_many(order_by="a", limit=2, after={"a": 1, "id": 2})] == [3, 4]


# -- streams -----------------------------------------------------------------------------------------------------------


def test_stream_gives_all_rows_in_chunks(filled: Clients):
    with filled.stream(company_id=7, order_by="-phone", chunk_rows=3) as rows:
        phones = [row.phone for row in rows]

    assert phones == ["4", "3", "2", "1"]


def test_stream_takes_the_memory_of_a_chunk_however_many_rows_there_are(clients: Clients, observer: Connection):
    numbers = "generate_series(1, 5000) as n"
    observer.execute(f"insert into clients (company_id, phone, name) select 7, n, repeat('x', 1000) from {numbers}")
    with clients.stream(company_id=7, chunk_rows=100) as rows:
        next(rows)
        tracemalloc.start()
        found = 1 + sum(1 for _ in rows)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert found == 5_000
    assert peak < 1 << 20


def test_writes_within_a_stream_that_is_left_early_are_kept(filled: Clients, stored: Callable[..., Any]):
    with filled.stream(company_id=7, order_by="phone", chunk_rows=1) as rows:
        for row in rows:
            filled.update({"name": "seen"}, company_id=7, phone=row.phone)
            if row.phone == "2":
                break

    assert stored("phone, name")[:3] == [("1", "seen"), ("2", "seen"), ("3", None)]


def test_streams_within_each_other(filled: Clients):
    with filled.stream(company_id=7, chunk_rows=1) as outer, filled.stream(company_id=8, chunk_rows=1) as inner:
        assert next(outer).phone == "1"
        assert next(inner).phone == "5"
        assert len(list(outer)) == 3


def test_rows_of_a_stream_belong_to_its_thread(filled: Clients):
    with filled.stream(company_id=7) as rows, ThreadPoolExecutor(1) as executor:
        error = executor.submit(next, rows).exception()

    assert isinstance(error, UsageError)
    assert "thread" in str(error)


def test_stream_refuses_a_chunk_of_nothing(clients: Clients):
    """W-R15: a batch size of zero is an endless loop."""
    with pytest.raises(StatementRefused, match="chunk_rows"), clients.stream(company_id=7, chunk_rows=0):
        pass
