"""Which SQL expression stands for a column's value, so that hashes agree exactly where the values do.

`hash_record` alone would lie: it gives the same for 1.0 and 1.00, for the numerics 1 and -1 and for the bigints 1 and
4294967296, hashes an enum by its oid, and has no hash for json, point or money. Each type therefore gets the plainest
expression that is injective on its values: the value itself, what its binary send function gives, or its text under
the settings that a Snapshot pins.
"""

from dataclasses import dataclass, replace
from typing import LiteralString

from trueup.parity.schema import Column, ValueType

Template = LiteralString
"""SQL with `{0}` where the column goes."""

TEXT: Template = '({0})::text collate "C"'
NUMBER: Template = 'trim_scale(({0})::text::numeric)::text collate "C"'
DOCUMENT: Template = '({0})::jsonb::text collate "C"'
INTEGER: Template = "int8send(({0})::int8)"
PADDED_TEXT: Template = 'textin(bpcharout({0})) collate "C"'

INTEGERS = frozenset({"int2", "int4", "int8"})
FLOATS = frozenset({"float4", "float8"})
EXACT_NUMBERS = INTEGERS | {"numeric"}
STRINGS = frozenset({"text", "varchar", "bpchar", "name", "citext"})
TEXTUAL = STRINGS | {"enum", "uuid"}
DOCUMENTS = frozenset({"json", "jsonb"})

HASHED_AS_IS = INTEGERS - {"int8"} | {
    "bool", "bytea", "char", "cidr", "date", "inet", "macaddr", "macaddr8", "oid", "uuid"
}  # fmt: skip
SENT: dict[str, Template] = {
    "bpchar": "bpcharsend({0})",
    # NaN has many bit patterns and is one value; a dump carries one of them.
    "float4": "float4send(case when {0} = 'NaN' then 'NaN' else {0} end)",
    "float8": "float8send(case when {0} = 'NaN' then 'NaN' else {0} end)",
    "int8": INTEGER,
    "interval": "interval_send({0})",
    # Its text follows lc_monetary, which belongs to the server.
    "money": "cash_send({0})",
    "numeric": "numeric_send({0})",
    "pg_lsn": "pg_lsn_send({0})",
    "time": "time_send({0})",
    "timestamp": "timestamp_send({0})",
    "timestamptz": "timestamptz_send({0})",
    "timetz": "timetz_send({0})",
}

OWN_HASH: Template = "hash_record_extended(row({0}), 0)"
# Own hashes see no sign of a number, and jsonb's rotates, so that elements 32 places apart may change places: the text
# without the zeros at the end of fractions stands beside them.
TRIMMED: Template = (
    "hash_record_extended(row({0}), 0)::text"
    r" || regexp_replace(({0})::text, '(\.[0-9]*[1-9])0+\y|\.0+\y', '\1', 'g')"
)
WITH_BOUNDS: Template = "concat(hash_record_extended(row({0}), 0), array_dims({0}))"
EQUAL: dict[str, Template] = {
    "bpchar": TEXT,
    "citext": OWN_HASH,
    "float4": "float4send(case {0} when 'NaN' then 'NaN' when 0 then 0 else {0} end)",
    "float8": "float8send(case {0} when 'NaN' then 'NaN' when 0 then 0 else {0} end)",
    # A month is 30 days and a day 24 hours.
    "interval": "case when isfinite({0}) then trim_scale("
    "((extract(year from {0}) * 12 + extract(month from {0})) * 30 + extract(day from {0})) * 86400"
    " + extract(hour from {0}) * 3600 + extract(minute from {0}) * 60 + extract(second from {0})"
    ")::text else ({0})::text end",
    "jsonb": TRIMMED,
    "numeric": "numeric_send(trim_scale({0}))",
}
RANGES = frozenset({"numrange", "nummultirange"})
"""Whose equal values may be written in several ways."""
EQUAL_ARRAYS: dict[str, Template] = {
    "bpchar": WITH_BOUNDS, "float4": WITH_BOUNDS, "float8": WITH_BOUNDS, "interval": WITH_BOUNDS,
    "jsonb": TRIMMED, "nummultirange": TRIMMED, "numeric": TRIMMED, "numrange": TRIMMED
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Is how the values of a column, the same on both sides, are written to be hashed and shown."""

    value: Template
    """Two values differ exactly when these do."""
    key: Template = TEXT
    """As text; two keys of one table differ exactly when these do."""
    equal: Template | None = None
    """Two values are equal for the type's `=` when these are; None where `value` says so already."""
    conversion: Template | None = None
    """What gives the value first, on the side whose type or meaning is declared to differ; `{1}` is `argument`."""
    argument: str | None = None

    @property
    def identity(self) -> Template:
        """Return what tells rows apart: `value`, but for the padding of char(n), which is no part of a key."""
        return TEXT if self.equal == TEXT else self.value


JSON = Form(value=DOCUMENT, key=DOCUMENT, equal=EQUAL["jsonb"])
CONVERSIONS: tuple[tuple[frozenset[str], Form], ...] = (
    (INTEGERS, Form(value=INTEGER)),
    (FLOATS, Form(value=TEXT)),
    (EXACT_NUMBERS | FLOATS, Form(value=NUMBER, key=NUMBER)),
    (TEXTUAL, Form(value=TEXT)),
    (EXACT_NUMBERS | STRINGS, Form(value=TEXT)),
    (DOCUMENTS, Form(value=DOCUMENT, key=DOCUMENT)),
)
"""For two types that are both in a set, the first that fits."""


def form_of(source: Column, target: Column, *, as_text: frozenset[str] = frozenset()) -> Form | None:
    """Return how to compare two columns; None where their types have no form in common.

    Where the types differ, what differs by the type alone is no difference: padding, scale, width of an integer.
    `as_text` names types whose other forms the two servers don't write alike.
    """
    if source.value_type == target.value_type:
        form, name = _same_type(source, target), _plain_name(source.value_type)
        return replace(form, value=PADDED_TEXT if name == "bpchar" else TEXT) if name in as_text else form
    if source.value_type.element and target.value_type.element:
        elements = {_plain_name(source.value_type.element), _plain_name(target.value_type.element)}
        return Form(value=TEXT) if elements <= INTEGERS or elements <= TEXTUAL else None
    names = {_plain_name(source.value_type), _plain_name(target.value_type)}
    return next((form for known, form in CONVERSIONS if names <= known), None)


def is_integer(value_type: ValueType) -> bool:
    """Return whether it is int2, int4 or int8."""
    return _plain_name(value_type) in INTEGERS


def converted_forms(source: Column, target: Column, by: str) -> tuple[Form, Form] | None:
    """Return how to compare two columns of which the source's is declared to be converted; None where it doesn't fit.

    `by` is `not`, `jsonb`, `to_jsonb` or `at time zone ZONE`.
    """
    types = _plain_name(source.value_type), _plain_name(target.value_type)
    form = _same_type(target, target)
    if by == "not" and types == ("bool", "bool"):
        return replace(form, conversion="(not {0})"), form
    if by == "jsonb" and set(types) <= STRINGS | DOCUMENTS:
        return replace(JSON, conversion="({0})::jsonb"), replace(JSON, conversion="({0})::jsonb")
    if by == "to_jsonb":
        return replace(JSON, conversion="to_jsonb({0})"), replace(JSON, conversion="to_jsonb({0})")
    zone = by.removeprefix("at time zone ")
    if zone != by and set(types) == {"timestamp", "timestamptz"}:
        return replace(form, conversion="({0} at time zone {1})", argument=zone), form
    return None


def _same_type(source: Column, target: Column) -> Form:
    name = _plain_name(source.value_type)
    if source.type != target.type and name in {"numeric", "bpchar"}:
        return Form(value=NUMBER, key=NUMBER) if name == "numeric" else Form(value=TEXT)
    if name == "money":
        return Form(value=SENT[name], key="({0})::numeric::text")
    element = source.value_type.element and _plain_name(source.value_type.element)
    if element == "money":
        return Form(value="array_send({0})")
    if element in EQUAL_ARRAYS:
        return Form(value=TEXT, equal=_below_domain(EQUAL_ARRAYS[element], f"{element}[]"))
    if name in RANGES:
        return Form(value=TEXT, equal=_below_domain(TRIMMED, name))
    equal = EQUAL.get(name, None if source.deterministic and target.deterministic else OWN_HASH)
    return Form(value="{0}" if name in HASHED_AS_IS else SENT.get(name, TEXT), equal=equal)


def _below_domain(template: Template, type_: str) -> Template:
    # A domain over a range or an array has no hash.
    return template.replace("{0}", f"{{0}}::pg_catalog.{type_}")


def _plain_name(value_type: ValueType) -> str:
    if value_type.kind == "enum":
        return "enum"
    schema, name = value_type.name
    return name if schema == "pg_catalog" or name == "citext" else f"{schema}.{name}"
