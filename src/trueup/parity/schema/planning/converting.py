"""How the values of a column become those of another type, and by which rule. Does no I/O."""

from trueup.parity.schema.conversions import FLOATS, INTEGERS, LARGEST, STRINGS, Shape
from trueup.parity.schema.model import Column, ValueType
from trueup.parity.schema.names import QualifiedName, quote_ident

LIST_OF_JSON = (
    "create or replace function pg_temp.trueup_list(jsonb) returns text[] language sql immutable strict as"
    " 'select array(select jsonb_array_elements_text($1))'"
)
"""A subquery can't be part of a conversion, a function can; this one is gone with the session."""
BY_TEXT = frozenset("CERU")
"""Categories of types without casts among their own: composite types, enums, ranges, all sorts."""
RELATED = ({"json", "jsonb"}, {"macaddr", "macaddr8"})
"""Of all sorts, yet with casts."""


def is_list_of_json(have: Column, want: Column) -> bool:
    """Say whether the elements of a JSON array become those of an array."""
    return have.value_type.name == QualifiedName("pg_catalog", "jsonb") and want.value_type.category == "A"


def converted(have: Column, want: Column) -> str:
    """Return the expression that makes a value of the new type out of one of the old."""
    name = quote_ident(have.name)
    mine, theirs = have.value_type, want.value_type
    if mine.category == "A" and theirs.name == QualifiedName("pg_catalog", "jsonb"):
        return f"to_jsonb({name})"
    if is_list_of_json(have, want):
        return f"pg_temp.trueup_list({name})::{want.type}"
    if _is_zoned(have, want):
        return f"{name} at time zone 'UTC'"
    if _is_cast(mine, theirs):
        return f"{name}::{want.type}"
    return f"{name}::text{'[]' * (mine.category == theirs.category == 'A')}::{want.type}"


def _is_cast(mine: ValueType, theirs: ValueType) -> bool:
    """Say whether values become each other by a cast."""
    if mine.element and theirs.element:
        return _is_cast(mine.element, theirs.element)
    is_same = theirs.category == mine.category and mine.category not in BY_TEXT
    names = {mine.name.name, theirs.name.name}
    return is_same or theirs.category == "S" or mine.name == theirs.name or any(names == pair for pair in RELATED)


def _is_zoned(have: Column, want: Column) -> bool:
    return {have.value_type.name.name, want.value_type.name.name} == {"timestamp", "timestamptz"}


def rule(have: Column, want: Column) -> str:
    """Return by which rule the conversion goes, in a few words."""
    old, new = Shape.of(have.type), Shape.of(want.type)
    is_list = old.is_array or new.is_array
    found = _rule_of_arrays(have, want) if is_list else _rule_of_numbers(old, new) or _rule_of_texts(old, new)
    if found:
        return found
    if _is_zoned(have, want):
        return "times without an offset are in UTC"
    if "::text" in converted(have, want).removesuffix(want.type):
        return f"each value's text is read as {want.type}, what can't be read fails"
    return f"each value is cast to {want.type}"


def _rule_of_numbers(old: Shape, new: Shape) -> str | None:
    if new.base in INTEGERS and old.base in INTEGERS:
        return f"values beyond {LARGEST[new.base]} fail" if new.base in LARGEST else "values stay as they are"
    if new.base in INTEGERS and old.base in {"numeric", *FLOATS}:
        return "decimal places are rounded away, values beyond the type's range fail"
    if new.base == "numeric" and new.modifiers:
        places = new.modifiers[1] if len(new.modifiers) > 1 else 0
        return f"values are rounded to {places} decimal places, those with too many digits before the point fail"
    return None


def _rule_of_texts(old: Shape, new: Shape) -> str | None:
    if new.base in STRINGS:
        return f"values longer than {new.modifiers[0]} characters are cut" if new.modifiers else "each becomes its text"
    return "the time of day is dropped" if new.base == "date" and old.base.startswith("timestamp") else None


def _rule_of_arrays(have: Column, want: Column) -> str | None:
    if is_list_of_json(have, want):
        return "the elements of each JSON array become those of the array, any other value fails"
    if converted(have, want).startswith("to_jsonb"):
        return "each array becomes a JSON array"
    return None
