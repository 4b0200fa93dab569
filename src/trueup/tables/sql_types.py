"""The types that a contract can name: what Python value each holds, and how values are written for the server."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from functools import cache
from itertools import chain
from math import isfinite
from operator import attrgetter
from types import NoneType
from typing import Any
from uuid import UUID

from psycopg.adapt import Dumper
from psycopg.types.bool import BoolBinaryDumper
from psycopg.types.datetime import (
    DateBinaryDumper,
    DatetimeBinaryDumper,
    DatetimeNoTzBinaryDumper,
    TimeBinaryDumper,
    TimedeltaBinaryDumper,
)
from psycopg.types.numeric import FloatBinaryDumper, Int2BinaryDumper, Int4BinaryDumper, Int8BinaryDumper
from psycopg.types.string import BytesBinaryDumper, StrBinaryDumper
from psycopg.types.uuid import UUIDBinaryDumper

from trueup.tables import encoding
from trueup.tables.encoding import BadValue, quoted

PlainTest = Callable[[Sequence[Any], set[type]], bool]
Texts = Callable[[Sequence[Any]], list[str] | None]


class Family(StrEnum):
    """Groups the types that understand the same operators."""

    TEXT = "text"
    ORDERED = "ordered"
    ARRAY = "array"
    JSONB = "jsonb"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SqlType:
    """Is one PostgreSQL type, without its length or precision."""

    name: str
    """As `format_type` shows it."""
    python: type
    """What a value is when it comes back; `object` for JSON."""
    encode: Callable[[Any], str]
    """Writes one value that is not None as the type's input text; raises BadValue."""
    is_plain: PlainTest
    """Says whether values of a column, none of them None, need not be looked at one by one: that is what makes writing
    in bulk fast. It is given their classes as well."""
    family: Family = Family.ORDERED
    element: "SqlType | None" = None
    dumper: type[Dumper] = StrBinaryDumper
    """Writes the values of a column for an array, in their binary form where Python has that at the speed of C."""
    texts: Texts | None = None
    """Writes plain values as texts, where those are what `dumper` takes; None if they turn out not to be plain."""

    @property
    def sent_as(self) -> str:
        """The type of the elements of an array of values: its own, or text, which the server then reads."""
        return "text" if self.dumper is StrBinaryDumper else self.name

    @property
    def has_equality(self) -> bool:
        """Whether the server can compare two values; json, alone, has no operator for it."""
        return Family.JSON not in {self.family, self.element and self.element.family}


def only(kind: type) -> PlainTest:
    """Return the test that all values are exactly of a class."""
    return lambda _, classes: classes == {kind}


def only_in_zone(kind: type, zone: tzinfo | None) -> PlainTest:
    """Return the test that all values are of a class and in a zone."""
    zone_of = attrgetter("tzinfo")
    return lambda values, classes: classes == {kind} and set(map(zone_of, values)) == {zone}


def never(_values: Sequence[Any], _classes: set[type]) -> bool:
    """Say that every value is written by itself."""
    return False


def is_plain_text(values: Sequence[Any], classes: set[type]) -> bool:
    """Say whether all are str that PostgreSQL can store."""
    if classes != {str}:
        return False
    try:
        encoding.encode_text("".join(values))
    except BadValue:
        return False
    return True


def is_plain_float(values: Sequence[Any], classes: set[type]) -> bool:
    """Say whether all are finite floats: an encoder writes the others as null."""
    return classes == {float} and all(map(isfinite, values))


def is_plain_numeric(values: Sequence[Any], classes: set[type]) -> bool:
    """Say whether all are Decimals that PostgreSQL reads as Python writes them."""
    return classes == {Decimal} and not any(map(Decimal.is_nan, values))


def integer(name: str, bits: int, dumper: type[Dumper]) -> SqlType:
    """Return the type of integers of so many bits."""
    lowest, highest = -(1 << bits - 1), (1 << bits - 1) - 1

    def encode(value: object) -> str:
        if type(value) is int and lowest <= value <= highest:
            return repr(value)
        return encoding.encode_integer(value, lowest, highest)

    def is_plain(values: Sequence[Any], classes: set[type]) -> bool:
        return classes == {int} and min(values) >= lowest and max(values) <= highest

    return SqlType(name=name, python=int, encode=encode, is_plain=is_plain, dumper=dumper)


def textual(name: str) -> SqlType:
    """Return a type of texts."""
    return SqlType(name=name, family=Family.TEXT, python=str, encode=encoding.encode_text, is_plain=is_plain_text)


def json(name: str, family: Family) -> SqlType:
    """Return a type of JSON."""
    return SqlType(name=name, family=family, python=object, encode=encoding.encode_json, is_plain=never)


def simple(name: str, python: type, encode: Callable[[Any], str], is_plain: PlainTest, dumper: type[Dumper]) -> SqlType:
    """Return a type that orders its values."""
    return SqlType(name=name, python=python, encode=encode, is_plain=is_plain, dumper=dumper)


def as_text(
    name: str, python: type, encode: Callable[[Any], str], is_plain: PlainTest, text: Callable[[Any], str]
) -> SqlType:
    """Return a type that orders its values, and whose plain values are written by `text`."""

    def texts(values: Sequence[Any]) -> list[str]:
        return list(map(text, values))

    return SqlType(name=name, python=python, encode=encode, is_plain=is_plain, texts=texts)


SCALARS = {
    scalar.name: scalar
    for scalar in (
        integer("smallint", 16, Int2BinaryDumper),
        integer("integer", 32, Int4BinaryDumper),
        integer("bigint", 64, Int8BinaryDumper),
        as_text("real", float, encoding.encode_float, is_plain_float, repr),
        simple("double precision", float, encoding.encode_float, is_plain_float, FloatBinaryDumper),
        as_text("numeric", Decimal, encoding.encode_numeric, is_plain_numeric, str),
        simple("boolean", bool, encoding.encode_boolean, only(bool), BoolBinaryDumper),
        simple("date", date, encoding.encode_date, only(date), DateBinaryDumper),
        simple("time without time zone", time, encoding.encode_time, only_in_zone(time, None), TimeBinaryDumper),
        simple(
            "timestamp without time zone",
            datetime,
            encoding.encode_timestamp,
            only_in_zone(datetime, None),
            DatetimeNoTzBinaryDumper,
        ),
        simple(
            "timestamp with time zone",
            datetime,
            encoding.encode_timestamptz,
            only_in_zone(datetime, UTC),
            DatetimeBinaryDumper,
        ),
        simple("interval", timedelta, encoding.encode_interval, never, TimedeltaBinaryDumper),
        simple("uuid", UUID, encoding.encode_uuid, only(UUID), UUIDBinaryDumper),
        simple("bytea", bytes, encoding.encode_bytea, never, BytesBinaryDumper),
        textual("text"),
        textual("character varying"),
        json("json", Family.JSON),
        json("jsonb", Family.JSONB),
    )
}

ALIASES = {
    "int2": "smallint",
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "decimal": "numeric",
    "bool": "boolean",
    "time": "time without time zone",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "varchar": "character varying",
}


@cache
def array_of(element: SqlType) -> SqlType:
    """Return the type of one-dimensional arrays of `element`."""

    def encode(value: object) -> str:
        items = value if isinstance(value, tuple) else encoding.expect(list, value)
        return "{" + ",".join("NULL" if item is None else quoted(element.encode(item)) for item in items) + "}"

    def is_plain(values: Sequence[Any], classes: set[type]) -> bool:
        if classes != {list} or element.python is object:
            return False
        kinds = set(map(type, chain.from_iterable(values)))
        if element.family is Family.TEXT:
            return kinds <= {str, NoneType}
        items = [item for item in chain.from_iterable(values) if item is not None]
        return not items or element.is_plain(items, kinds - {NoneType})

    name = f"{element.name}[]"
    return SqlType(
        name=name,
        family=Family.ARRAY,
        python=list,
        encode=encode,
        is_plain=is_plain,
        element=element,
        texts=encoding.array_literals,
    )


DECLARED = re.compile(
    r"(?P<name>[a-z][a-z0-9 ]*?) *(?P<size>\([0-9]+(, *[0-9]+)?\))?(?P<zone> with(out)? time zone)?(?P<array>\[\])?"
)


def parse_type(declared: str) -> tuple[SqlType, str]:
    """Return the type that `declared` names (`varchar(50)`), and its text as `format_type` shows it.

    Raises:
        ValueError: it is none of the types that a contract can name; the message lists them.
    """
    found = DECLARED.fullmatch(declared.strip().lower())
    name = found["name"] + (found["zone"] or "") if found else ""
    name = ALIASES.get(name, name)
    if not found or name not in SCALARS:
        raise ValueError(f"{declared!r} is none of {', '.join(sorted(SCALARS))}, each also as an array with []")
    scalar, size = SCALARS[name], (found["size"] or "").replace(" ", "")
    head, with_zone, zone = name.partition(" with")
    text = f"{head}{size}{with_zone}{zone}"
    return (array_of(scalar), f"{text}[]") if found["array"] else (scalar, text)
