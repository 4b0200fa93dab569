"""How values become those of another type, and by which rule."""

import pytest

from trueup.parity.schema.planning.converting import converted, rule

CASES = {
    ("text", "character varying(9)"): ("c::character varying(9)", "values longer than 9 characters are cut"),
    ("integer", "text"): ("c::text", "each becomes its text"),
    ("integer", "smallint"): ("c::smallint", "values beyond 32767 fail"),
    ("integer", "bigint"): ("c::bigint", "values stay as they are"),
    ("double precision", "integer"): (
        "c::integer", "decimal places are rounded away, values beyond the type's range fail"),
    ("real", "double precision"): ("c::double precision", "each value is cast to double precision"),
    ("text", "integer"): ("c::text::integer", "each value's text is read as integer, what can't be read fails"),
    ("timestamp with time zone", "timestamp without time zone"): (
        "c at time zone 'UTC'", "times without an offset are in UTC"),
    ("timestamp with time zone", "date"): ("c::text::date", "the time of day is dropped"),
    ("integer[]", "bigint[]"): ("c::bigint[]", "each value is cast to bigint[]"),
    ("uuid", "bytea"): ("c::text::bytea", "each value's text is read as bytea, what can't be read fails"),
    ("json", "json"): ("c::json", "each value is cast to json"),
    ("uuid[]", "text[]"): ("c::text[]", "each value is cast to text[]"),
    ("uuid[]", "bytea[]"): ("c::text[]::bytea[]", "each value's text is read as bytea[], what can't be read fails"),
    ("text[]", "jsonb"): ("to_jsonb(c)", "each array becomes a JSON array"),
    ("jsonb", "text[]"): (
        "pg_temp.trueup_list(c)::text[]",
        "the elements of each JSON array become those of the array, any other value fails"),
}  # fmt: skip


@pytest.mark.parametrize(("types", "expected"), CASES.items(), ids=map(" to ".join, CASES))
def test_conversion_and_its_rule(build, types, expected):
    have, want = (build.column(type_=each) for each in types)

    assert (converted(have, want), rule(have, want)) == expected


@pytest.mark.parametrize(("type_", "places"), [("numeric(8,2)", 2), ("numeric(8)", 0)])
def test_rule_of_decimals_names_the_places(build, type_, places):
    assert rule(build.column(type_="numeric"), build.column(type_=type_)).startswith(f"values are rounded to {places} ")
