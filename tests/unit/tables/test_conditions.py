from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

import pytest

from trueup.errors import InvalidData, Outcome
from trueup.tables import (
    UNSET,
    InvalidValue,
    Sql,
    StatementRefused,
    Table,
    UnknownColumn,
    any_of,
    between,
    contains,
    eq,
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
from trueup.tables.conditions import encode_row, parse
from trueup.tables.statements import select


@dataclass(frozen=True, slots=True)
class Booking:
    id: int
    phone: str
    starts_at: datetime
    day: date | None
    tags: list[str]
    payload: Annotated[Any, Sql("jsonb")]
    raw: Annotated[Any, Sql("json")]


BOOKINGS = Table("public.bookings", Booking, primary_key=("id",))
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def where(**conditions: object) -> tuple[str, list[bytes | None]]:
    shape, parameters = parse(BOOKINGS, conditions)
    return select(BOOKINGS, shape).text.decode().split("where ")[1], parameters


RENDERED: dict[str, tuple[Callable[[], dict[str, object]], str, list[bytes]]] = {
    "equality": (lambda: {"id": 7}, '"id" = $1::bigint', [b"7"]),
    "None is IS NULL": (lambda: {"day": None}, '"day" is null', []),
    "eq(None) is IS NULL": (lambda: {"day": eq(None)}, '"day" is null', []),
    "a datetime is a value (W-R3)": (
        lambda: {"starts_at": NOON},
        '"starts_at" = $1::timestamp with time zone',
        [b"2024-01-01T12:00:00+00:00"],
    ),
    "ne counts NULL as different (W-R6)": (
        lambda: {"day": ne(date(2024, 1, 1))},
        '"day" is distinct from $1::date',
        [b"2024-01-01"],
    ),
    "ne(None) is IS NOT NULL (W-R6)": (lambda: {"day": ne(None)}, '"day" is not null', []),
    "range": (lambda: {"id": gte(1) & lt(9)}, '"id" >= $1::bigint\n  and "id" < $2::bigint', [b"1", b"9"]),
    "three of one column": (
        lambda: {"id": gt(1) & lt(9) & ne(5)},
        '"id" > $1::bigint\n  and "id" < $2::bigint\n  and "id" is distinct from $3::bigint',
        [b"1", b"9", b"5"],
    ),
    "up to": (lambda: {"id": lte(9)}, '"id" <= $1::bigint', [b"9"]),
    "between": (lambda: {"id": between(1, 2)}, '"id" between $1::bigint and $2::bigint', [b"1", b"2"]),
    "in_ is one parameter": (lambda: {"id": in_([1, 2])}, '"id" = any($1::bigint[])', [b'{"1","2"}']),
    "not_in keeps NULL": (lambda: {"id": not_in({3})}, '("id" = any($1::bigint[])) is not true', [b'{"3"}']),
    "like": (lambda: {"phone": like("+7%")}, '"phone" like $1::text', [b"+7%"]),
    "ilike": (lambda: {"phone": ilike("+7%")}, '"phone" ilike $1::text', [b"+7%"]),
    "contains in text (W-R31)": (lambda: {"phone": contains(r"50%_\x")}, '"phone" ilike $1::text', [rb"%50\%\_\\x%"]),
    "contains in an array": (lambda: {"tags": contains(["a"])}, '"tags" @> $1::text[]', [b'{"a"}']),
    "any_of": (lambda: {"tags": any_of(["a"])}, '"tags" && $1::text[]', [b'{"a"}']),
    "a list equals an array": (lambda: {"tags": ["a"]}, '"tags" = $1::text[]', [b'{"a"}']),
    "containment in jsonb": (lambda: {"payload": contains({"a": 1})}, '"payload" @> $1::jsonb', [b'{"a":1}']),
    "a dict equals jsonb (W-R4)": (lambda: {"payload": {}}, '"payload" = $1::jsonb', [b"{}"]),
    "a list equals jsonb": (lambda: {"payload": []}, '"payload" = $1::jsonb', [b"[]"]),
    "null tests": (lambda: {"day": is_null(), "phone": is_not_null()}, '"day" is null\n  and "phone" is not null', []),
    "nothing": (dict, "true", []),
}


@pytest.mark.parametrize(("conditions", "text", "parameters"), RENDERED.values(), ids=RENDERED.keys())
def test_condition_is_rendered(conditions: Callable[[], dict[str, object]], text: str, parameters: list[bytes]):
    assert where(**conditions()) == (text, parameters)


REFUSED: dict[str, Callable[[], dict[str, object]]] = {
    "undefined value (W-R5)": lambda: {"id": UNSET},
    "empty operator object (W-R4)": lambda: {"id": {}},
    "a list for IN (W-R7)": lambda: {"id": [1, 2]},
    "a set for IN (W-R7)": lambda: {"id": {1, 2}},
    "gt None": lambda: {"id": gt(None)},
    "between with None": lambda: {"id": between(1, None)},
    "like on int": lambda: {"id": like("1%")},
    "any_of on text": lambda: {"phone": any_of(["a"])},
    "order on jsonb": lambda: {"payload": gt(1)},
    "equality of json": lambda: {"raw": 1},
    "in on an array": lambda: {"tags": in_(["a"])},
    "wrong class": lambda: {"id": "7"},
    "wrong class within in": lambda: {"id": in_([1, "2"])},
    "NUL": lambda: {"phone": "a\0"},
}


@pytest.mark.parametrize("conditions", REFUSED.values(), ids=REFUSED.keys())
def test_condition_that_means_nothing_is_refused(conditions: Callable[[], dict[str, object]]):
    refused = conditions()  # by itself each of them is a condition; refused is what it is asked of
    with pytest.raises(StatementRefused, match=r"public\.bookings"):
        where(**refused)


@pytest.mark.parametrize("values", [[], (), iter([]), [1, None], "abc", None, 7, {"a": 1}])
@pytest.mark.parametrize("operator", [in_, not_in, any_of])
def test_collection_without_meaning_is_refused(operator: Any, values: Any):
    if not isinstance(values, list | tuple | str | dict | int | None):
        values = iter([])

    with pytest.raises(StatementRefused, match=operator.__name__):
        operator(values)


HOSTILE = ["id; drop table x", 'id" = 1 or "id', "public.bookings.id", "ID", "", "id ", "(select 1)", "__class__"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_never_reach_sql(name: str):
    """W-R1: column names in filters are interpolated unchecked."""
    with pytest.raises(UnknownColumn):
        parse(BOOKINGS, {name: 1})


def test_refused_value_is_invalid_data_that_was_not_sent():
    with pytest.raises(InvalidValue) as refusal:
        where(phone="secret\0")

    error = refusal.value
    assert isinstance(error, InvalidData)
    assert (error.sqlstate, error.table, error.columns) == ("22P05", "public.bookings", ("phone",))
    assert error.outcome is Outcome.NOT_SENT
    assert "secret" not in str(error)


def test_repr_of_a_condition_tells_no_value():
    """W-R27: filters with phones are sent to the tracker."""
    assert repr(gte("+7secret") & lt("x")) == "gte(…) & lt(…)"


def test_row_is_written_value_by_value():
    assert encode_row(BOOKINGS, ("phone", "id", "day"), ["+7", 3, None]) == [b"+7", b"3", None]


def test_bad_value_of_a_row_is_refused_by_its_column():
    with pytest.raises(InvalidValue, match=r"^public\.bookings\.phone: the value holds ") as refused:
        encode_row(BOOKINGS, ("id", "phone"), [3, "+7\0"])

    assert (refused.value.sqlstate, refused.value.columns) == ("22P05", ("phone",))


def test_refused_operator_is_told_with_those_that_there_are():
    message = r"^public\.bookings\.raw: json has no eq; it understands is_not_null, is_null$"
    with pytest.raises(StatementRefused, match=message):
        parse(BOOKINGS, {"raw": eq({})})
