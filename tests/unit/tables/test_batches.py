from dataclasses import dataclass
from typing import Any

import pytest

from trueup.tables import UNSET, DuplicateKeys, InvalidValue, StatementRefused, Table, TenantMissing
from trueup.tables.batches import Batch, deduplicate, group, prepare, refuse, sort


@dataclass(frozen=True, slots=True)
class Client:
    company_id: int
    phone: str
    name: str | None = UNSET
    photo: bytes | None = UNSET


CLIENTS = Table("public.clients", Client, primary_key=("company_id", "phone"), tenant="company_id")


def lines(batch: Batch) -> list[dict[str, Any]]:
    return [dict(zip(batch.names, values, strict=True)) for values in zip(*batch.columns, strict=True)]


def prepared(rows: list[Any]) -> list[Batch]:
    return [prepare(CLIENTS, batch)[0] for batch in group(CLIENTS, rows, {})]


def test_rows_of_different_shapes_keep_what_each_says():
    """W-R12: the columns of the first row win; those a later row lacks are overwritten with NULL."""
    rows = [
        Client(7, "1", name="a"),
        Client(7, "2"),
        {"phone": "3", "company_id": 7},
        {"company_id": 7, "phone": "4", "name": None},
    ]

    batches = group(CLIENTS, rows, {})

    assert {batch.names: list(batch.positions) for batch in batches} == {
        ("company_id", "name", "phone"): [0, 3],
        ("company_id", "phone"): [1, 2],
    }
    assert lines(batches[0])[1] == {"company_id": 7, "phone": "4", "name": None}


def test_rows_of_one_shape_are_one_batch_without_unset_columns():
    (batch,) = group(CLIENTS, [Client(7, str(i), photo=b"x") for i in range(3)], {})

    assert batch.names == ("company_id", "phone", "photo")
    assert list(batch.positions) == [0, 1, 2]


def test_bound_tenant_is_added_and_another_is_refused():
    (batch,) = group(CLIENTS, [{"phone": "1"}], {"company_id": 7})
    assert lines(batch) == [{"phone": "1", "company_id": 7}]

    with pytest.raises(TenantMissing, match="the row has another"):
        group(CLIENTS, [Client(7, "1"), Client(8, "1")], {"company_id": 7})
    with pytest.raises(TenantMissing, match="no company_id"):
        group(CLIENTS, [{"phone": "1"}], {})
    with pytest.raises(TenantMissing, match="no company_id"):
        group(CLIENTS, [Client(None, "1")], {})  # type: ignore[arg-type]


def test_bad_values_are_found_with_their_rows():
    rows = [Client(7, "1"), Client(7, "a\0"), Client(7, None), Client(1 << 63, "x")]  # type: ignore[arg-type]
    (batch,) = group(CLIENTS, rows, {})

    good, rejected = prepare(CLIENTS, batch)

    assert good.keys == [(7, "1")]
    found = [(each.position, each.key, each.sqlstate, each.column) for each in rejected]
    assert found == [
        (1, (7, "a\0"), "22P05", "phone"),
        (2, (7, None), "23502", "phone"),
        (3, (1 << 63, "x"), "22003", "company_id"),
    ]


@pytest.mark.parametrize("phone", ["secret\0", None])
def test_bad_value_is_told_without_the_value(phone: Any):
    (batch,) = group(CLIENTS, [Client(7, "1"), Client(7, phone)], {})
    (bad,) = prepare(CLIENTS, batch)[1]

    with pytest.raises(InvalidValue, match=r"public\.clients\.phone: the value of row 1 ") as refusal:
        refuse(CLIENTS, bad)

    assert "secret" not in str(refusal.value)


def test_batch_without_a_column_of_the_key_is_refused():
    (batch,) = group(CLIENTS, [{"company_id": 7, "name": "x"}], {})

    with pytest.raises(StatementRefused, match=r"phone: it is part of the conflict key and not set"):
        prepare(CLIENTS, batch)


DUPLICATES = [
    {"company_id": 7, "phone": "1", "name": "first"},
    {"company_id": 7, "phone": "2"},
    {"company_id": 7, "phone": "1"},
    {"company_id": 7, "phone": "1", "name": "last"},
]


@pytest.mark.parametrize(("choice", "kept"), [("first", {0, 1}), ("last", {1, 3})])
def test_one_row_of_a_key_is_kept_across_shapes(choice: Any, kept: set[int]):
    """W-R13: a duplicate key inside one batch aborts it with 21000."""
    batches, left_out = deduplicate(CLIENTS, prepared(DUPLICATES), choice)

    assert {position for batch in batches for position in batch.positions} == kept
    assert left_out == 2


def test_duplicates_are_an_error_that_names_positions():
    with pytest.raises(DuplicateKeys, match=r"2 rows .*positions 0, 2\)"):
        deduplicate(CLIENTS, prepared(DUPLICATES), "error")


def test_rows_are_sorted_by_key_as_code_points_are():
    phones = ["b", "B", "ё", "", "a", "Z", "é"]
    (batch,) = prepared([Client(7, phone) for phone in phones])

    assert list(sort(batch).columns[1]) == sorted(phones)
    assert list(sort(batch).positions) == [phones.index(phone) for phone in sorted(phones)]


def test_rows_are_sorted_by_every_column_of_the_key():
    keys = [(8, "a"), (7, "b"), (8, "Z"), (7, "a")]
    (batch,) = prepared([Client(*key) for key in keys])

    assert list(sort(batch).keys) == sorted(keys)
