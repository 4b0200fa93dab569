import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import IntEnum, StrEnum
from math import inf, nan
from typing import Any
from uuid import UUID

import pytest

from trueup.tables import encoding
from trueup.tables.encoding import BadValue, array_literals
from trueup.tables.sql_types import parse_type


class Level(IntEnum):
    HIGH = 3


class Status(StrEnum):
    ACTIVE = "active"


LOOP: list[Any] = []
LOOP.append(LOOP)
TWO_LOOPS: list[Any] = []
TWO_LOOPS += [TWO_LOOPS, TWO_LOOPS]

WRITTEN: dict[str, tuple[str, Any, str]] = {
    "int": ("bigint", -(2**63), "-9223372036854775808"),
    "greatest int": ("int", 2**31 - 1, "2147483647"),
    "least smallint": ("smallint", -(2**15), "-32768"),
    "int enum": ("smallint", Level.HIGH, "3"),
    "text": ("text", "Ёлка'\\", "Ёлка'\\"),
    "text enum": ("text", Status.ACTIVE, "active"),
    "float": ("float8", 0.1, "0.1"),
    "int as float": ("float8", 3, "3.0"),
    "nan": ("float8", nan, "nan"),
    "numeric": ("numeric", Decimal("1.10"), "1.10"),
    "int as numeric": ("numeric", 10**30, "1" + "0" * 30),
    "numeric nan": ("numeric", Decimal("NaN"), "NaN"),
    "bool": ("boolean", True, "true"),
    "date": ("date", date(1, 2, 3), "0001-02-03"),
    "time": ("time", time(1, 2, 3, 4), "01:02:03.000004"),
    "timestamp": ("timestamp", datetime(2024, 1, 2, 3), "2024-01-02T03:00:00"),  # noqa: DTZ001
    "timestamptz in UTC": ("timestamptz", datetime(2024, 1, 2, 3, tzinfo=UTC), "2024-01-02T03:00:00+00:00"),
    "timestamptz elsewhere": (
        "timestamptz",
        datetime(2024, 1, 2, 3, tzinfo=timezone(timedelta(hours=3, seconds=7))),
        "2024-01-01T23:59:53+00:00",
    ),
    "interval": ("interval", timedelta(days=-1, microseconds=1), "-1 days 0 seconds 1 microseconds"),
    "uuid": ("uuid", UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    "bytea": ("bytea", b"\0\xff", "\\x00ff"),
    "jsonb": ("jsonb", {"a": [1, None, "x"]}, '{"a":[1,null,"x"]}'),
    "jsonb list (W-R16)": ("jsonb", [], "[]"),
    "jsonb list of objects (W-R16)": ("jsonb", [{"a": 1}], '[{"a":1}]'),
    "jsonb with a harmless backslash": ("jsonb", "\\u0000", '"\\\\u0000"'),
    "array": ("text[]", ["a,b", 'c"d', "\\", None, "NULL", ""], '{"a,b","c\\"d","\\\\",NULL,"NULL",""}'),
    "empty array": ("text[]", [], "{}"),
    "array of int": ("int[]", (1, None), '{"1",NULL}'),
}


@pytest.mark.parametrize(("kind", "value", "text"), WRITTEN.values(), ids=WRITTEN.keys())
def test_value_is_written_as_input_text(kind: str, value: Any, text: str):
    assert parse_type(kind)[0].encode(value) == text


REFUSED: dict[str, tuple[str, Any, str]] = {
    "too large": ("int", 2**31, "22003"),
    "too small": ("smallint", -(2**15) - 1, "22003"),
    "bool as int": ("bigint", True, "22023"),
    "str as int": ("bigint", "1", "22023"),
    "float as int": ("bigint", 1.0, "22023"),
    "NUL": ("text", "a\0b", "22P05"),
    "half a surrogate": ("text", "\ud800", "22P05"),
    "int as text": ("text", 1, "22023"),
    "inexact int as float": ("float8", 2**53 + 1, "22003"),
    "huge int as float": ("float8", 10**400, "22003"),
    "float as numeric": ("numeric", 0.1, "22023"),
    "bool as numeric": ("numeric", True, "22023"),
    "signalling nan": ("numeric", Decimal("sNaN"), "22023"),
    "int as bool": ("boolean", 1, "22023"),
    "datetime as date": ("date", datetime(2024, 1, 1, tzinfo=UTC), "22023"),
    "time with a zone": ("time", time(1, tzinfo=UTC), "22023"),
    "zone for timestamp": ("timestamp", datetime(2024, 1, 1, tzinfo=UTC), "22023"),
    "no zone for timestamptz": ("timestamptz", datetime(2024, 1, 1), "22023"),  # noqa: DTZ001
    "before year 1 in UTC": ("timestamptz", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))), "22008"),
    "str as uuid": ("uuid", "0", "22023"),
    "str as bytea": ("bytea", "x", "22023"),
    "str as an array": ("text[]", "abc", "22023"),
    "nested array": ("text[]", [["a"]], "22023"),
    "NUL in an array": ("text[]", ["a\0"], "22P05"),
    "NaN in JSON": ("jsonb", {"a": [nan]}, "22023"),
    "infinity in JSON": ("jsonb", inf, "22023"),
    "Decimal in JSON": ("jsonb", [Decimal(1)], "22023"),
    "date in JSON": ("jsonb", {"a": date(2024, 1, 1)}, "22023"),
    "tuple in JSON": ("jsonb", (1, 2), "22023"),
    "set in JSON": ("jsonb", {1}, "22023"),
    "key of JSON that is no str": ("jsonb", {1: 2}, "22023"),
    "NUL in JSON": ("jsonb", {"a": "b\0"}, "22P05"),
    "NUL in a key of JSON": ("jsonb", {"a\0": 1}, "22P05"),
    "half a surrogate in JSON": ("jsonb", ["\udfff"], "22P05"),
    "JSON that holds itself": ("jsonb", LOOP, "22023"),
    "JSON that holds itself twice": ("jsonb", TWO_LOOPS, "22023"),
}


@pytest.mark.parametrize(("kind", "value", "sqlstate"), REFUSED.values(), ids=REFUSED.keys())
def test_value_that_a_type_cannot_hold_is_refused(kind: str, value: Any, sqlstate: str):
    with pytest.raises(BadValue) as refusal:
        parse_type(kind)[0].encode(value)

    assert refusal.value.sqlstate == sqlstate


REASONS = {
    "too large": "does not fit into 32 bits",
    "too small": "does not fit into 16 bits",
    "bool as int": "takes int, not bool",
    "str as int": "takes int, not str",
    "float as int": "takes int, not float",
    "NUL": "holds \\u0000, which PostgreSQL can't store",
    "half a surrogate": "holds half of a surrogate pair, which is no character",
    "int as text": "takes str, not int",
    "inexact int as float": "is an int that float can't hold exactly",
    "huge int as float": "is an int that float can't hold exactly",
    "float as numeric": "takes Decimal, not float",
    "bool as numeric": "takes Decimal, not bool",
    "signalling nan": "is a signalling NaN",
    "int as bool": "takes bool, not int",
    "datetime as date": "takes date, not datetime",
    "time with a zone": "takes a time without a zone",
    "zone for timestamp": "takes a datetime without a zone: the zone would be lost",
    "no zone for timestamptz": "takes a datetime with a zone: without one its instant is unknown",
    "before year 1 in UTC": "is outside the years 1 to 9999 in UTC",
    "str as uuid": "takes UUID, not str",
    "str as bytea": "takes bytes, not str",
    "str as an array": "takes list, not str",
    "nested array": "takes str, not list",
    "NUL in an array": "holds \\u0000, which PostgreSQL can't store",
    "NaN in JSON": "holds NaN or infinity, which JSON has no form for",
    "infinity in JSON": "holds NaN or infinity, which JSON has no form for",
    "Decimal in JSON": "holds Decimal, which JSON has no form for",
    "date in JSON": "holds date, which JSON has no form for",
    "tuple in JSON": "holds tuple, which JSON has no form for",
    "set in JSON": "holds set, which JSON has no form for",
    "key of JSON that is no str": "holds a key that is not a str",
    "NUL in JSON": "holds \\u0000, which PostgreSQL can't store",
    "NUL in a key of JSON": "holds \\u0000, which PostgreSQL can't store",
    "half a surrogate in JSON": "holds half of a surrogate pair, which is no character",
    "JSON that holds itself": "is nested deeper than 500 levels, or holds itself",
    "JSON that holds itself twice": "is nested deeper than 500 levels, or holds itself",
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusal_says_what_is_wrong(case: str):
    kind, value, _ = REFUSED[case]

    with pytest.raises(BadValue) as refusal:
        parse_type(kind)[0].encode(value)

    assert refusal.value.reason == REASONS[case]


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("smallint", -(2**15), "-32768"),
        ("smallint", 2**15 - 1, "32767"),
        ("bigint", 2**63 - 1, "9223372036854775807"),
        ("boolean", True, "true"),
        ("boolean", False, "false"),
        ("numeric", Decimal("NaN"), "NaN"),
        ("numeric", Decimal("-NaN"), "NaN"),
        ("timestamptz", datetime(2024, 1, 1, 3, tzinfo=timezone(timedelta(hours=3))), "2024-01-01T00:00:00+00:00"),
    ],
)
def test_last_value_of_a_type_is_taken(kind: str, value: Any, text: str):
    assert parse_type(kind)[0].encode(value) == text


@pytest.mark.parametrize(("kind", "value", "sqlstate"), REFUSED.values(), ids=REFUSED.keys())
def test_bulk_never_takes_a_refused_value_for_a_plain_one(kind: str, value: Any, sqlstate: str):
    column = parse_type(kind)[0]

    assert not column.is_plain([value], {type(value)}) or (column.texts and column.texts([value]) is None)


@pytest.mark.parametrize("bad", [{"a": {1}}, {"a": (1,)}, {1: "a"}, nan, "\0", datetime(2024, 1, 1, tzinfo=UTC)])
def test_one_bad_value_of_a_column_of_json_is_seen(bad: Any):
    many = [{"a": n % 7, "b": "\n\x1f é"} for n in range(1000)]

    texts = encoding.faithful_json([*many, {"c": 1}])

    assert texts is not None
    assert [json.loads(text) for text in texts] == [*many, {"c": 1}]
    for position in (0, 500, 1000):
        assert encoding.faithful_json([*many[:position], bad, *many[position:]]) is None


@pytest.mark.parametrize(
    ("bad", "good"), [((1,), [1]), (Decimal(1), "1"), ({1: 2}, {"1": 2}), ([nan], [None]), ({"a": {2}}, {"a": [2]})]
)
def test_bad_value_that_has_the_text_of_a_good_one_is_seen(bad: Any, good: Any):
    assert encoding.faithful_json([good, good]) is not None
    assert encoding.faithful_json([bad, good, good]) is None
    assert encoding.faithful_json([good, bad, good]) is None
    assert encoding.faithful_json([good, good, bad]) is None


def test_refusal_does_not_tell_the_value():
    with pytest.raises(BadValue) as refusal:
        parse_type("text")[0].encode("secret\0")

    assert "secret" not in str(refusal.value)


def test_lists_are_written_as_array_literals():
    values: list[list[Any]] = [["a]", 'b"', "\\"], [], [None], [1]]

    assert array_literals(values) == ['{"a]","b\\"","\\\\"}', "{}", "{null}", "{1}"]


@pytest.mark.parametrize("text", ["\n", "\t", "\0", "\x1f", "\\n\n", "\udfff"])
def test_list_that_json_writes_otherwise_than_an_array_is_none_of_these(text: str):
    assert array_literals([["plain"], [text]]) is None


@pytest.mark.parametrize("text", ["\x7f", "\xa0", "\u2028", "\U0001f600", "\\n", "\\u0000"])
def test_text_that_json_escapes_no_more_than_an_array_is_written_as_it_is(text: str):
    escaped = text.replace("\\", "\\\\")

    assert array_literals([["plain"], [text]]) == ['{"plain"}', f'{{"{escaped}"}}']
