"""How one Python value is written as PostgreSQL's input text.

As a parameter, as an element of an array literal or as a string in JSON, the server reads the text with the same input
function, so there is one encoder a type. None is never given to one.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain, count
from math import isfinite
from typing import Any, TypeVar
from uuid import UUID

import msgspec

T = TypeVar("T")

UNTRANSLATABLE = "22P05"
OUT_OF_RANGE = "22003"
NO_SUCH_TIME = "22008"
INVALID = "22023"

ENCODER = msgspec.json.Encoder()
DECODER = msgspec.json.Decoder()
UNWRITABLE = (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError)
"""What an encoder raises for what JSON can't hold, BadValue included."""


class BadValue(ValueError):
    """Says why a type can't hold a value, without the value, and what the server would have answered."""

    def __init__(self, reason: str, sqlstate: str = INVALID) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sqlstate = sqlstate


def expect(kind: type[T], value: object) -> T:
    """Return the value if it is of the class; a bool is no int, a datetime is no date."""
    if not isinstance(value, kind) or (type(value) in {bool, datetime} and type(value) is not kind):
        raise BadValue(f"takes {kind.__name__}, not {type(value).__name__}")
    return value


def encode_integer(value: object, lowest: int, highest: int) -> str:
    """Write an int between two bounds."""
    number = expect(int, value)
    if not lowest <= number <= highest:
        raise BadValue(f"does not fit into {highest.bit_length() + 1} bits", OUT_OF_RANGE)
    return int.__repr__(number)


def encode_float(value: object) -> str:
    """Write a float, or an int that a float holds exactly."""
    if type(value) is int:
        try:
            exact = float(value) == value
        except OverflowError:
            exact = False
        if not exact:
            raise BadValue("is an int that float can't hold exactly", OUT_OF_RANGE)
        value = float(value)
    return float.__repr__(expect(float, value))


def encode_numeric(value: object) -> str:
    """Write a Decimal, or an int."""
    if type(value) is int:
        return int.__repr__(value)
    number = expect(Decimal, value)
    if number.is_snan():
        raise BadValue("is a signalling NaN")
    return "NaN" if number.is_nan() else str(number)


def encode_text(value: object) -> str:
    """Write a str that PostgreSQL can store."""
    text = value if type(value) is str else str.__str__(expect(str, value))
    if "\0" in text:
        raise BadValue(r"holds \u0000, which PostgreSQL can't store", UNTRANSLATABLE)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise BadValue("holds half of a surrogate pair, which is no character", UNTRANSLATABLE) from None
    return text


def encode_boolean(value: object) -> str:
    """Write a bool."""
    return "true" if expect(bool, value) else "false"


def encode_date(value: object) -> str:
    """Write a date."""
    return expect(date, value).isoformat()


def encode_time(value: object) -> str:
    """Write a time without a zone."""
    clock = expect(time, value)
    if clock.tzinfo is not None:
        raise BadValue("takes a time without a zone")
    return clock.isoformat()


def encode_timestamp(value: object) -> str:
    """Write a datetime without a zone."""
    moment = expect(datetime, value)
    if moment.tzinfo is not None:
        raise BadValue("takes a datetime without a zone: the zone would be lost")
    return moment.isoformat()


def encode_timestamptz(value: object) -> str:
    """Write a datetime with a zone as its instant in UTC."""
    if type(value) is datetime and value.tzinfo is UTC:
        return value.isoformat()
    moment = expect(datetime, value)
    if moment.utcoffset() is None:
        raise BadValue("takes a datetime with a zone: without one its instant is unknown")
    try:
        return moment.astimezone(UTC).isoformat()
    except OverflowError:
        raise BadValue("is outside the years 1 to 9999 in UTC", NO_SUCH_TIME) from None


def encode_interval(value: object) -> str:
    """Write a timedelta."""
    span = expect(timedelta, value)
    return f"{span.days} days {span.seconds} seconds {span.microseconds} microseconds"


def encode_uuid(value: object) -> str:
    """Write a UUID."""
    return str(expect(UUID, value))


def encode_bytea(value: object) -> str:
    """Write bytes."""
    return "\\x" + expect(bytes, value).hex()


def encode_json(value: object) -> str:
    """Write what JSON can hold: what it is read back as has to be equal.

    One thing jsonb itself changes: it knows numbers and no floats, so a float from 2**53 on comes back as the int that
    its text stands for, which is the same float.
    """
    try:
        text = ENCODER.encode(value)
        is_faithful = DECODER.decode(text) == value
    except UNWRITABLE:
        text, is_faithful = b"", False
    if not is_faithful or rb"\u0000" in text:
        check_json([value])
    if not is_faithful:
        raise BadValue("does not come back equal from JSON")
    return text.decode()


def faithful_json(values: Sequence[object]) -> list[str] | None:
    r"""Return values as JSON, None if JSON would change one of them or PostgreSQL refuse it.

    An encoder writes NaN and infinity as null, a Decimal or a date as a string, a key that is an int in quotes. So of
    the values with the same text one has to be what that is read back as, and the others equal to it. jsonb refuses
    `\u0000`, which a backslash that stands before `u0000` looks like: such values are looked at one by one as well.
    """
    try:
        texts = ENCODER.encode_lines(values)[:-1].decode().split("\n")
        samples = dict(zip(texts, values, strict=True))
        if any(r"\u0000" in text or DECODER.decode(text) != value for text, value in samples.items()):
            return None
        if [samples[text] for text in texts] != [*values]:
            return None
    except UNWRITABLE:
        return None
    return texts


JSON_CLASSES = frozenset({dict, list, str, int, float, bool, type(None)})
DEEPEST_JSON = 500


def check_json(values: list[Any]) -> None:
    """Raise BadValue, saying why, unless every value at any depth is what jsonb can hold.

    Each is looked at once a level, so that lists which hold themselves don't multiply.
    """
    level = values
    for depth in count():
        if not level:
            return
        if depth > DEEPEST_JSON:
            raise BadValue(f"is nested deeper than {DEEPEST_JSON} levels, or holds itself")
        classes = set(map(type, level))
        if unknown := classes - JSON_CLASSES:
            raise BadValue(f"holds {', '.join(sorted(each.__name__ for each in unknown))}, which JSON has no form for")
        if float in classes and not all(map(isfinite, of_class(float, level))):
            raise BadValue("holds NaN or infinity, which JSON has no form for")
        mappings = of_class(dict, level) if dict in classes else []
        keys = list(chain.from_iterable(mappings))
        if not set(map(type, keys)) <= {str}:
            raise BadValue("holds a key that is not a str")
        encode_text("".join(chain(keys, of_class(str, level) if str in classes else ())))
        lists = of_class(list, level) if list in classes else []
        inner = chain(chain.from_iterable(map(dict.values, mappings)), chain.from_iterable(lists))
        level = list({id(value): value for value in inner}.values())


def of_class(kind: type[T], values: list[Any]) -> list[T]:
    """Return those of the values that are exactly of a class."""
    return [value for value in values if type(value) is kind]


def quoted(text: str) -> str:
    """Return an element of an array literal."""
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def array_literals(values: Sequence[Any]) -> list[str] | None:
    """Return lists as array literals, None if they have to be looked at one by one.

    They are JSON in other brackets: both escape a quote and a backslash alike. What else JSON escapes, it alone does.
    """
    try:
        lines = b"\n" + ENCODER.encode_lines(values)
    except UNWRITABLE:
        return None
    if b"\\" in lines and b"\\" in lines.replace(rb"\\", b"").replace(rb"\"", b""):
        return None
    return lines.replace(b"\n[", b"\n{").replace(b"]\n", b"}\n").decode()[1:-1].split("\n")
