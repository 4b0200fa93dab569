import re
from dataclasses import dataclass
from typing import Any

import pytest

from trueup.tables import UNSET, DuplicateKeys, StatementRefused, Table, TenantMissing, UnknownColumn
from trueup.tables.ordering import OnDuplicate, Ordered, Rejected, in_order, key_at
from trueup.tables.tenants import Row


@dataclass(frozen=True, slots=True)
class Client:
    company_id: int
    phone: str
    name: str | None = UNSET


CLIENTS = Table("public.clients", Client, primary_key=("company_id", "phone"), tenant="company_id")


def ordered(
    rows: list[Any], tenant: Row | None = None, on_duplicate: OnDuplicate = "error"
) -> tuple[Ordered, int, list[Rejected]]:
    bad: list[Rejected] = []
    given, superseded = in_order(CLIENTS, rows, tenant or {}, on_duplicate, bad.extend)
    return given, superseded, bad


def keys(given: Ordered) -> list[tuple[Any, ...]]:
    return [key_at(given.key, position) for position in given.positions]


def test_rows_are_sorted_by_key_as_code_points_are():
    phones = ["b", "B", "ё", "", "a", "Z", "é"]
    rows = [Client(7, phone) for phone in phones]

    given, _, _ = ordered(rows)

    assert [row.phone for row in given.rows] == sorted(phones)
    assert [rows[position] for position in given.positions] == given.rows


def test_rows_are_sorted_by_every_column_of_the_key():
    rows = [(8, "a"), (7, "b"), (8, "Z"), (7, "a")]

    given, _, _ = ordered([Client(*key) for key in rows])

    assert keys(given) == sorted(rows)


def test_rows_of_both_kinds_are_sorted_together():
    given, _, _ = ordered([{"company_id": 7, "phone": "2"}, Client(7, "1"), {"company_id": 7, "phone": "0"}])

    assert keys(given) == [(7, "0"), (7, "1"), (7, "2")]


@pytest.mark.parametrize(
    ("key", "sqlstate", "column"),
    [
        ((7, None), "23502", "phone"),
        ((7, "a\0"), "22P05", "phone"),
        ((7, 5), "22023", "phone"),
        ((1 << 63, "x"), "22003", "company_id"),
        ((1 << 63, None), "22003", "company_id"),
    ],
)
def test_row_without_a_possible_key_is_rejected(key: tuple[Any, Any], sqlstate: str, column: str):
    given, _, bad = ordered([Client(7, "2"), Client(*key), Client(7, "1")])

    assert keys(given) == [(7, "1"), (7, "2")]
    assert list(given.positions) == [2, 0]
    assert [(each.position, each.key, each.sqlstate, each.column) for each in bad] == [(1, key, sqlstate, column)]


def test_rows_that_are_all_rejected_leave_none():
    given, superseded, bad = ordered([Client(7, None), Client(7, None)])  # type: ignore[arg-type]

    assert (len(given), superseded, len(bad)) == (0, 0, 2)


def test_tenant_is_checked_and_another_is_refused():
    given, _, _ = ordered([{"phone": "1"}, Client(7, "2")], {"company_id": 7})

    assert keys(given) == [(7, "1"), (7, "2")]
    with pytest.raises(TenantMissing, match="the row has another"):
        ordered([Client(7, "1"), Client(8, "1")], {"company_id": 7})
    with pytest.raises(TenantMissing, match="no company_id"):
        ordered([{"phone": "1"}])
    with pytest.raises(TenantMissing, match="no company_id"):
        ordered([Client(None, "1")])  # type: ignore[arg-type]


def test_row_without_a_column_of_the_key_is_refused():
    with pytest.raises(StatementRefused, match=r"phone: it is part of the conflict key and not set"):
        ordered([{"company_id": 7, "name": "x"}])


def test_unknown_column_anywhere_is_refused():
    with pytest.raises(UnknownColumn, match="nme"):
        ordered([{"company_id": 7, "phone": str(i)} for i in range(100)] + [{"nme": 1}])


DUPLICATES = [
    {"company_id": 7, "phone": "1", "name": "first"},
    {"company_id": 7, "phone": "2"},
    {"company_id": 7, "phone": "1"},
    {"company_id": 7, "phone": "1", "name": "last"},
]


@pytest.mark.parametrize(("choice", "kept"), [("first", {0, 1}), ("last", {1, 3})])
def test_one_row_of_a_key_is_kept_across_shapes(choice: OnDuplicate, kept: set[int]):
    """W-R13: a duplicate key inside one batch aborts it with 21000."""
    given, superseded, _ = ordered(DUPLICATES, on_duplicate=choice)

    assert set(given.positions) == kept
    assert keys(given) == [(7, "1"), (7, "2")]
    assert superseded == 2


def test_duplicates_are_an_error_that_names_positions():
    with pytest.raises(DuplicateKeys, match=r"2 rows .*positions 0, 2\)"):
        ordered(DUPLICATES)


@pytest.mark.parametrize(
    ("count", "shown"),
    [(10, "0, 1, 2, 3, 4, 5, 6, 7, 8, 9)"), (11, "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and more)")],
)
def test_ten_positions_of_duplicates_are_named(count: int, shown: str):
    with pytest.raises(DuplicateKeys, match=rf"positions {re.escape(shown)}"):
        ordered([Client(7, "1")] * (count + 1))


def test_rejected_row_is_no_duplicate():
    given, superseded, bad = ordered([Client(7, "1"), Client(7, None), Client(7, None)])  # type: ignore[arg-type]

    assert (list(given.positions), superseded, len(bad)) == ([0], 0, 2)
