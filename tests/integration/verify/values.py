"""Values of every type of the sample, as text that PostgreSQL reads: the awkward ones by name, the others at random."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import LiteralString

from hypothesis import strategies as st
from tests.integration.verify.tables import Changed, Column, Value

Values = st.SearchStrategy[Value]

AWKWARD: dict[str, Sequence[Value]] = {
    "boolean": ["true", "false"],
    "smallint": ["-32768", "-1", "0", "1", "32767"],
    "integer": ["-2147483648", "-1", "0", "1", "2147483647"],
    "bigint": ["1", "4294967296", "-1", "4294967295", "-9223372036854775808", "9223372036854775807"],
    "numeric": ["0", "0.1", "NaN"],
    "real": ["0", "-0", "1e-45", "NaN", "Infinity", "-Infinity", "3.4028235e38", "0.1", "16777216"],
    "double precision": ["0", "-0", "5e-324", "NaN", "Infinity", "-Infinity", "0.1", "0.30000000000000004", "1e300"],
    "date": ["infinity", "-infinity", "4713-01-01 BC", "0001-01-01", "2000-02-29", "5874897-12-31"],
    "time without time zone": ["00:00", "24:00", "23:59:59.999999", "12:00:00.000001"],
    "timestamp without time zone": ["infinity", "-infinity", "2013-11-03 01:00", "2013-11-03 01:00:00.000001"],
    "timestamp with time zone": ["infinity", "-infinity", "2013-11-03 01:00-04", "2013-11-03 01:00-05"],
    "interval": ["1 day", "24 hours", "1 mon", "30 days", "-1 microsecond", "0", "1 mon -30 days"],
    "character": ["A", "N", "U"],
    "character varying": ["", " ", "a", "a ", "\u00e9", "e\u0301", "NULL", "\t", "🦊"],
    "text": ["", " ", "a", "a ", "A", "\u00e9", "e\u0301", "NULL", "\\N", "\t", "\n", "%s", "'", "{}", "🦊"],
    "text[]": ["{}", "{NULL}", '{"NULL"}', '{""}', "{a,b}", '{"a,b"}', "{b,a}", "[0:1]={a,b}", "{{a},{b}}"],
    "jsonb": ['{"n": 1}', '{"n": 1.0}', '{"n": "1"}', "[0, 10.50]", "null", "{}", "[]", "1234567890", '"1234567890"',
              '{"a": null}', '{"a": ""}'],
    "point": ["(0,0)", "(-0,0)", "(NaN,1)", "(1,Infinity)"],
    "flights.airport_code": ["000", "JFK", "ZZZ"],
    "flights.engine_kind": ["4 Cycle", "Reciprocating", "Turbo-shaft"],
}  # fmt: skip

RESPELLED: dict[str, Sequence[Sequence[str]]] = {
    # Each inner list holds different values that are equal for the type's `=`.
    "jsonb": [['{"n": 1}', '{"n": 1.0}', '{"n": 1.00}'], ["[0, 10.50]", "[0, 10.5]"]],
    "real": [["0", "-0"]],
    "double precision": [["0", "-0"]],
    "interval": [["1 day", "24 hours"], ["1 mon", "30 days", "720 hours", "29 days 24 hours"]],
}

NUDGES: dict[str, Sequence[LiteralString]] = {
    # The smallest steps away from a value, and those that hashes and careless conversions overlook.
    "boolean": ["not {0}"],
    "smallint": ["{0} + 1", "-{0}"],
    "integer": ["{0} + 1", "-{0}"],
    "bigint": ["{0} + 1", "-{0}", "{0} << 32"],
    "numeric": ["{0} + 0.01", "round({0})", "-{0}"],
    "real": ["{0} * 1.0000001", "-{0}"],
    "double precision": ["{0} * 1.0000000000000002", "{0}::real", "-{0}"],
    "date": ["{0} + 1"],
    "time without time zone": ["{0} + interval '1 microsecond'", "{0} + interval '12 hours'"],
    "timestamp without time zone": ["{0} + interval '1 microsecond'", "{0} + interval '1 hour'"],
    "timestamp with time zone": ["{0} + interval '1 microsecond'", "{0} at time zone 'America/New_York'"],
    "interval": ["{0} + interval '1 microsecond'", "justify_hours({0})", "{0} + interval '1 day -24 hours'"],
    "character varying": ["{0} || ' '", "coalesce({0}, '')", "lower({0})"],
    "text": ["{0} || ' '", "coalesce({0}, '')", "lower({0})", "normalize({0}, nfd)"],
    "text[]": ["{0} || null::text", "coalesce({0}, '{{}}')", "array[array_to_string({0}, ',')]", "{0}[2:] || {0}[:1]"],
    "jsonb": ["{0} || jsonb '{{\"x\": null}}'", "to_jsonb({0}::text)", "jsonb_strip_nulls({0})"],
    "point": ["{0} + point '(1e-14,0)'", "point({0}[1], {0}[0])"],
    "flights.airport_code": ["reverse({0})"],
}

prices = st.sampled_from(["0", "0.99", "1.99", "NaN", "99999999.99"])
delays = st.integers(-16_000, 16_000).map(str)
WITHIN: dict[str, Values] = {
    # What check constraints and a generated column let in.
    "chinook.invoice.total": prices,
    "chinook.invoice_line.quantity": st.integers(1, 2**31 - 1).map(str),
    "chinook.track.length": st.sampled_from(["1 day", "24 hours", "1 mon", "1 microsecond", "343719 milliseconds"]),
    "chinook.track.unit_price": prices,
    "flights.flight.arr_delay": delays,
    "flights.flight.dep_delay": delays,
    "flights.flight.distance": st.integers(1, 32_767).map(str),
    "flights.plane.engines": st.integers(1, 4).map(str),
    "flights.weather.humid": st.floats(0, 100, width=32).map(repr) | st.just("-0"),
    "flights.weather.wind_dir": st.integers(0, 360).map(str),
}

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
instants = st.integers(0, 200 * 365 * 86_400 * 10**6).map(
    lambda us: (datetime(1900, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)).isoformat()
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=3,
)


def integers(bits: int) -> Values:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).map(str)


AT_RANDOM: dict[str, Values] = {
    "smallint": integers(16),
    "integer": integers(32),
    "bigint": integers(64),
    "real": st.floats(width=32).map(repr),
    "double precision": st.floats().map(repr),
    "date": instants.map(lambda text: text[:10]),
    "time without time zone": st.times().map(str),
    "timestamp without time zone": instants.map(lambda text: text.removesuffix("+00:00")),
    "timestamp with time zone": instants,
    "interval": st.tuples(st.integers(-30, 30), st.integers(-60, 60), st.integers(-(10**9), 10**9)).map(
        lambda parts: "{} mons {} days {} microseconds".format(*parts)
    ),
    "character varying": words,
    "text": words,
    "text[]": st.lists(st.none() | words, max_size=3),
    "jsonb": documents.map(json.dumps),
    "point": st.tuples(st.floats(), st.floats()).map(lambda xy: f"({xy[0]!r},{xy[1]!r})"),
    "flights.airport_code": st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=3, max_size=3),
}


def decimals(precision: int, scale: int) -> Values:
    return st.integers(1 - 10**precision, 10**precision - 1).map(lambda digits: str(Decimal(digits).scaleb(-scale)))


def values_of(column: Column) -> Values:
    """Return what may stand in a column: a type without values here is an error, not a gap."""
    known = WITHIN.get(column.path)
    if known is None:
        at_random = decimals(*column.modifiers) if column.modifiers else AT_RANDOM.get(column.plain_type, st.nothing())
        known = st.sampled_from(AWKWARD[column.plain_type]) | at_random
    return st.none() | known if column.is_nullable else known


def nudges_of(column: Column) -> Values:
    return st.sampled_from([Changed(template) for template in NUDGES[column.plain_type]])
