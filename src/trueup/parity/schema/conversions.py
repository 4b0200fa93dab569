"""What it does to code and data when a column has another type.

Source: PostgreSQL manual, "Data Types"; each rule was a loss of somebody's data.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple, Self

from trueup.parity.schema.difference import Effect
from trueup.parity.schema.model import Column
from trueup.report.model import Severity

TIMESTAMPTZ, TIMESTAMP = "timestamp with time zone", "timestamp without time zone"
INTEGERS: Mapping[str, int] = {"smallint": 5, "integer": 10, "bigint": 19}
"""Name and decimal digits."""
LARGEST: Mapping[str, int] = {"smallint": 2**15 - 1, "integer": 2**31 - 1}
FLOATS: Mapping[str, int] = {"real": 6, "double precision": 15}
STRINGS = frozenset({"text", "character varying", "character"})
JSON = frozenset({"json", "jsonb"})
TIMED = frozenset({TIMESTAMPTZ, TIMESTAMP, "time with time zone", "time without time zone", "interval"})
UNLIMITED = 10**9


class Shape(NamedTuple):
    """Is a type taken apart: `numeric(10,2)[]`."""

    base: str
    modifiers: tuple[int, ...]
    is_array: bool

    @classmethod
    def of(cls, type_: str) -> Self:
        """Take the text of format_type apart."""
        found = re.fullmatch(r"(.*?)(?:\((-?\d+(?:,-?\d+)*)\))?( with(?:out)? time zone)?((?:\[\])*)", type_)
        assert found
        base, modifiers, zone, dimensions = found.groups()
        numbers = tuple(int(number) for number in modifiers.split(",")) if modifiers else ()
        return cls(base + (zone or ""), numbers, bool(dimensions))


def conversion(source: Column, target: Column) -> Effect:
    """Return what it does that the target's column has another type than the source's."""
    old, new = Shape.of(source.type), Shape.of(target.type)
    if old.base != new.base and source.value_type == target.value_type:
        return Effect(
            Severity.BEHAVIOURAL, "The values are of the same type, but another domain checks them, or none does."
        )
    if old.is_array != new.is_array:
        return _structure_lost(source, target) if old.base in JSON else _another(source, target)
    if old.base == new.base:
        return _resized(old, new)
    return (
        _number(old, new) or _string(old, new) or _moment(old, new) or _document(source, target, old, new)
        or _label(source, target) or _another(source, target)
    )  # fmt: skip


def _resized(old: Shape, new: Shape) -> Effect:
    if old.base == "numeric":
        return _decimal(old, new)
    if old.base in STRINGS or old.base in {"bit", "bit varying"}:
        return _length(old, new)
    if old.base in TIMED and _digits(old) == _digits(new):
        return Effect(Severity.COSMETIC, "Both keep microseconds; only the spelling of the type differs.")
    if old.base in TIMED and _digits(old) < _digits(new):
        return Effect(Severity.BEHAVIOURAL, f"Times keep {_digits(new)} digits of a second instead of {_digits(old)}.")
    if old.base in TIMED:
        return Effect(Severity.LOSSY, f"Times are rounded to {_digits(new)} digits of a second.")
    return Effect(Severity.LOSSY, "Values are cut or refused where the type's limits are narrower.")


def _digits(shape: Shape) -> int:
    return shape.modifiers[0] if shape.modifiers else 6


def _limit(shape: Shape) -> int:
    if shape.modifiers:
        return shape.modifiers[0]
    return 1 if shape.base in {"character", "bit"} else UNLIMITED


def _length(old: Shape, new: Shape) -> Effect:
    if _limit(new) < _limit(old):
        return Effect(
            Severity.LOSSY,
            f"Values longer than {_limit(new)} characters fail on write (22001), or were cut when they were copied.",
        )
    if _limit(new) == _limit(old):
        return Effect(Severity.COSMETIC, "Both types hold the same strings in the same way.")
    return Effect(Severity.BEHAVIOURAL, f"Values longer than {_limit(old)} characters are no longer refused.")


def _string(old: Shape, new: Shape) -> Effect | None:
    if not {old.base, new.base} <= STRINGS:
        return None
    if new.base == "character":
        return Effect(Severity.LOSSY, f"Values are padded with blanks to {_limit(new)} characters, or refused (22001).")
    if old.base == "character" and _limit(new) >= _limit(old):
        return Effect(Severity.BEHAVIOURAL, "Trailing blanks are kept and count in comparisons.")
    return _length(old, new)


def _decimal(old: Shape, new: Shape) -> Effect:
    if not new.modifiers:
        return Effect(Severity.BEHAVIOURAL, "Values are no longer rounded, nor refused when they are large.")
    scale, whole = _scale(new), new.modifiers[0] - _scale(new)
    if not old.modifiers or _scale(old) > scale or old.modifiers[0] - _scale(old) > whole:
        return Effect(
            Severity.LOSSY,
            f"Values are rounded to {scale} decimal places and refused (22003) beyond {whole} digits before the point.",
        )
    return Effect(Severity.BEHAVIOURAL, "Values have more room, and their text shows more decimal places.")


def _scale(shape: Shape) -> int:
    return shape.modifiers[1] if len(shape.modifiers) > 1 else 0


def _number(old: Shape, new: Shape) -> Effect | None:
    numbers = {*INTEGERS, *FLOATS, "numeric"}
    if not {old.base, new.base} <= numbers:
        return None
    if new.base in INTEGERS:
        return _to_integer(old, new)
    if new.base in FLOATS:
        return _to_float(old, new)
    whole = new.modifiers[0] - _scale(new) if new.modifiers else UNLIMITED
    if INTEGERS.get(old.base, 0) > whole or (old.base in FLOATS and new.modifiers):
        return Effect(Severity.LOSSY, f"Values beyond {whole} digits before the point are refused (22003), or rounded.")
    return Effect(
        Severity.BEHAVIOURAL, "Drivers return a decimal, in JavaScript a string, where code expects a plain number."
    )


def _to_integer(old: Shape, new: Shape) -> Effect:
    if old.base in INTEGERS and INTEGERS[old.base] < INTEGERS[new.base]:
        return Effect(
            Severity.BEHAVIOURAL, "Values may be larger than code expects; some drivers return bigint as a string."
        )
    if old.base in INTEGERS:
        return Effect(Severity.LOSSY, f"Values above {LARGEST[new.base]} fail on write (22003): ids run out one day.")
    return Effect(Severity.LOSSY, "Decimal places are rounded away.")


def _to_float(old: Shape, new: Shape) -> Effect:
    digits = INTEGERS.get(old.base) or FLOATS.get(old.base) or UNLIMITED
    if digits > FLOATS[new.base]:
        return Effect(Severity.LOSSY, f"Only {FLOATS[new.base]} digits are exact; sums and comparisons drift.")
    return Effect(Severity.BEHAVIOURAL, "Arithmetic is done in floating point: divisions give other results.")


def _moment(old: Shape, new: Shape) -> Effect | None:
    match old.base, new.base:
        case "timestamp with time zone", "timestamp without time zone":
            return Effect(
                Severity.LOSSY,
                "The offset is dropped on write without an error: 15:15+03:00 is stored as 15:15, and comparing it"
                " with now() is wrong by the offset.",
            )
        case "timestamp without time zone", "timestamp with time zone":
            return Effect(
                Severity.BEHAVIOURAL,
                "A time written without an offset is taken to be in the session's time zone, so that the same text"
                " may mean another moment.",
            )
        case (("timestamp with time zone" | "timestamp without time zone"), "date"):
            return Effect(Severity.LOSSY, "The time of day is lost.")
        case "date", ("timestamp with time zone" | "timestamp without time zone"):
            return Effect(Severity.BEHAVIOURAL, "Drivers return a time of midnight where code expects a date.")
        case _:
            return None


def _document(source: Column, target: Column, old: Shape, new: Shape) -> Effect | None:
    match old.base, new.base:
        case "json", "jsonb":
            return Effect(Severity.LOSSY, "Order and repetition of keys, and white space, are lost.")
        case "jsonb", "json":
            return Effect(Severity.BREAKING, "Operators of jsonb (=, @>, ?) and its indexes fail.")
        case "json" | "jsonb", _:
            return _structure_lost(source, target)
        case _:
            return None


def _structure_lost(source: Column, target: Column) -> Effect:
    if target.value_type.element:
        meaning = "JSON is no array literal: writing it fails with 'malformed array literal' (22P02)."
    else:
        limit = Shape.of(target.type).modifiers
        cut = f", and longer values are refused (22001) after {limit[0]} characters" if limit else ""
        meaning = f"The structure is gone: operators of {source.type} (->, ->>) fail, nothing checks the JSON{cut}."
    return Effect(Severity.BREAKING, meaning)


def _label(source: Column, target: Column) -> Effect | None:
    if source.value_type.kind == "enum" and Shape.of(target.type).base in STRINGS:
        return Effect(Severity.BEHAVIOURAL, "Any text is accepted, and the order is the alphabet's, not the list's.")
    return None


def _another(source: Column, target: Column) -> Effect:
    return Effect(
        Severity.BREAKING,
        f"Code that reads, writes or compares {source.type} fails or changes its meaning with {target.type}.",
    )
