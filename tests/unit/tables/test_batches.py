from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any

import pytest

from trueup.tables import UNSET, InvalidValue, Sql, Table
from trueup.tables.batches import Batch, group, prepare, refuse
from trueup.tables.ordering import Ordered, in_order
from trueup.tables.tenants import Row


@dataclass(frozen=True, slots=True)
class Client:
    company_id: int
    phone: str
    name: str | None = UNSET
    photo: bytes | None = UNSET


@dataclass(frozen=True, slots=True)
class Note:
    id: int
    body: Annotated[Any, Sql("jsonb")]


@dataclass(frozen=True, slots=True)
class Visit:
    id: int
    at: datetime
    cost: Decimal


CLIENTS = Table("public.clients", Client, primary_key=("company_id", "phone"), tenant="company_id")


def lines(batch: Batch) -> list[dict[str, Any]]:
    return [dict(zip(batch.names, values, strict=True)) for values in zip(*batch.columns, strict=True)]


def as_given(rows: Sequence[Any], tenant: Row | None = None) -> Ordered:
    """Return rows whose keys ascend."""
    return in_order(CLIENTS, rows, tenant or {}, "error", reject=lambda bad: None)[0]


def test_rows_of_different_shapes_keep_what_each_says():
    """W-R12: the columns of the first row win; those a later row lacks are overwritten with NULL."""
    rows = [
        Client(7, "1", name="a"),
        Client(7, "2"),
        {"phone": "3", "company_id": 7},
        {"company_id": 7, "phone": "4", "name": None},
    ]

    batches = group(CLIENTS, as_given(rows), {})

    assert {batch.names: list(batch.positions) for batch in batches} == {
        ("company_id", "name", "phone"): [0, 3],
        ("company_id", "phone"): [1, 2],
    }
    assert lines(batches[0])[1] == {"company_id": 7, "phone": "4", "name": None}


def test_rows_of_one_shape_are_one_batch_without_unset_columns():
    (batch,) = group(CLIENTS, as_given([Client(7, str(i), photo=b"x") for i in range(3)]), {})

    assert batch.names == ("company_id", "phone", "photo")
    assert list(batch.positions) == [0, 1, 2]


@pytest.mark.parametrize("names", [["a", UNSET], [UNSET, "a"]], ids=["later", "first"])
def test_column_that_one_row_leaves_out_makes_two_shapes(names: list[Any]):
    rows = [Client(7, str(i), name=name) for i, name in enumerate(names)]

    batches = group(CLIENTS, as_given(rows), {})

    assert sorted(batch.names for batch in batches) == [("company_id", "name", "phone"), ("company_id", "phone")]


def test_bound_tenant_is_added():
    tenant = {"company_id": 7}

    (batch,) = group(CLIENTS, as_given([{"phone": "1"}], tenant), tenant)

    assert lines(batch) == [{"phone": "1", "company_id": 7}]


def test_bound_tenant_is_added_to_rows_of_the_row_class_that_leave_it_out():
    tenant = {"company_id": 7}
    rows = [Client(UNSET, "2", name="b"), Client(7, "1", name="a"), Client(UNSET, "3", name="c")]

    (batch,) = group(CLIENTS, as_given(rows, tenant), tenant)

    assert lines(batch) == [
        {"company_id": 7, "phone": "1", "name": "a"},
        {"company_id": 7, "phone": "2", "name": "b"},
        {"company_id": 7, "phone": "3", "name": "c"},
    ]
    assert list(batch.positions) == [1, 0, 2]


def test_bad_values_are_found_with_their_rows():
    rows: list[Any] = [Client(7, "1"), Client(7, "2", name="a\0"), Client(7, "3", name=5), Client(7, "4", photo="x")]  # type: ignore[arg-type]
    batches = group(CLIENTS, as_given(rows), {})

    prepared = [prepare(CLIENTS, batch) for batch in batches]

    found = [(each.position, each.key, each.sqlstate, each.column) for _, bad in prepared for each in bad]
    assert sorted(found) == [
        (1, (7, "2"), "22P05", "name"),
        (2, (7, "3"), "22023", "name"),
        (3, (7, "4"), "22023", "photo"),
    ]
    assert [good.key_of(0) for good, _ in prepared if len(good)] == [(7, "1")]


def test_json_is_written_with_its_nulls_and_one_bad_value_is_found():
    notes = Table("public.notes", Note, primary_key=("id",))
    given, _ = in_order(notes, [Note(1, {"a": 1}), Note(2, None), Note(3, [])], {}, "error", reject=lambda bad: None)
    mixed, _ = in_order(notes, [Note(1, {"a": 1}), Note(2, None), Note(3, {2})], {}, "error", reject=lambda bad: None)

    [(good, none)] = [prepare(notes, batch) for batch in group(notes, given, {})]
    [(rest, [bad])] = [prepare(notes, batch) for batch in group(notes, mixed, {})]

    assert (list(good.columns[1]), none) == (['{"a":1}', None, "[]"], [])
    assert (list(rest.columns[1]), bad.key, bad.column) == (['{"a":1}', None], (3,), "body")


def test_values_that_are_looked_at_one_by_one_are_what_their_dumper_takes():
    visits = Table("public.visits", Visit, primary_key=("id",))
    at = datetime(2031, 5, 12, tzinfo=timezone(timedelta(hours=3)))
    rows: list[Any] = [Visit(1, at, Decimal(2)), Visit(2, at, 5), Visit(3, datetime(2031, 5, 12), Decimal(1))]  # type: ignore[arg-type]  # noqa: DTZ001
    given, _ = in_order(visits, rows, {}, "error", reject=lambda bad: None)

    [(good, [bad])] = [prepare(visits, batch) for batch in group(visits, given, {})]

    assert [list(column) for column in good.columns] == [[1, 2], [at, at], ["2", "5"]]
    assert (bad.key, bad.column) == ((3,), "at")


def test_bad_value_is_told_without_the_value():
    (batch,) = group(CLIENTS, as_given([Client(7, "1", name="x"), Client(7, "2", name="secret\0")]), {})
    _, bad = prepare(CLIENTS, batch)

    with pytest.raises(InvalidValue, match=r"public\.clients\.name: the value of row 1 ") as refusal:
        refuse(CLIENTS, bad)

    assert "secret" not in str(refusal.value)


def test_part_of_a_batch_keeps_rows_and_positions_together():
    (batch,) = group(CLIENTS, as_given([Client(7, str(i), name=f"n{i}") for i in range(4)]), {})

    assert lines(batch.take([1, 3])) == [
        {"company_id": 7, "phone": "1", "name": "n1"},
        {"company_id": 7, "phone": "3", "name": "n3"},
    ]
    assert list(batch.without({0, 2}).positions) == list(batch.take([1, 3]).positions) == [1, 3]
    assert batch.without([]) is batch


def test_refusal_of_a_batch_names_its_first_bad_row():
    (batch,) = group(
        CLIENTS, as_given([Client(7, str(i), name=name) for i, name in enumerate(("a", "b\0", "c\0"))]), {}
    )

    with pytest.raises(InvalidValue, match=r"^public\.clients\.name: the value of row 1 holds ") as refused:
        refuse(CLIENTS, prepare(CLIENTS, batch)[1])

    assert (refused.value.sqlstate, refused.value.columns) == ("22P05", ("name",))
