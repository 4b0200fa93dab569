"""An array is what the server would send back for the same values: psycopg reads it."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from math import inf
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.adapt import Transformer
from psycopg.pq import Format
from psycopg.types.numeric import Int8BinaryDumper

from trueup.tables.arrays import MOST_FIELDS, write_array
from trueup.tables.sql_types import parse_type


def read_back(array: bytes, element: str) -> Any:
    """Return what psycopg reads from an array of that type."""
    kind = psycopg.adapters.types[element]
    assert array[8:12] == kind.oid.to_bytes(4)
    return Transformer().get_loader(kind.array_oid, Format.BINARY).load(array)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("smallint", [-(1 << 15), 0, (1 << 15) - 1]),
        ("integer", [-(1 << 31), 0, (1 << 31) - 1]),
        ("bigint", [-(1 << 63), 0, (1 << 63) - 1]),
        ("double precision", [0.1, -0.0, inf]),
        ("boolean", [True, False]),
        ("date", [date.min, date.max]),
        ("time", [time.min, time.max]),
        ("timestamp", [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999)]),  # noqa: DTZ001
        ("timestamptz", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]),
        ("interval", [timedelta(days=-999_999_999), timedelta(days=1, seconds=86_399, microseconds=999_999)]),
        ("uuid", [UUID(int=0), UUID(int=(1 << 128) - 1)]),
        ("bytea", [b"", b"\0\xff"]),
        ("text", ["", "null", "\u0401\n\x1f"]),
        ("varchar", ["a"]),
    ],
)
def test_values_of_each_type_come_back_with_their_nulls(kind: str, values: list[Any]):
    column = parse_type(kind)[0]

    array = write_array([None, *values, None], column.dumper)

    assert read_back(array, column.sent_as) == [None, *values, None]


@pytest.mark.parametrize("kind", ["real", "numeric", "json", "jsonb", "text[]", "integer[]"])
def test_what_has_no_fast_binary_form_is_sent_as_text(kind: str):
    assert parse_type(kind)[0].sent_as == "text"


def test_moment_of_another_zone_is_the_same_instant():
    moment = datetime(2031, 5, 12, 9, tzinfo=timezone(timedelta(hours=5, minutes=45)))

    array = write_array([moment], parse_type("timestamptz")[0].dumper)

    assert read_back(array, "timestamptz") == [moment]


@pytest.mark.parametrize("length", [0, 1, MOST_FIELDS, MOST_FIELDS + 1, 40_000])
def test_array_has_any_length(length: int):
    values = list(range(length))

    assert read_back(write_array(values, Int8BinaryDumper), "bigint") == values


def test_what_a_service_registers_with_the_driver_is_not_asked(monkeypatch: pytest.MonkeyPatch):
    class Doubling(Int8BinaryDumper):
        def dump(self, obj: Any) -> Any:
            return super().dump(2 * obj)

    known = psycopg.adapters._dumpers_by_oid
    monkeypatch.setattr(psycopg.adapters, "_dumpers_by_oid", [dict(each) for each in known])
    psycopg.adapters.register_dumper(None, Doubling)

    assert read_back(write_array([21], Int8BinaryDumper), "bigint") == [21]
