"""What a change of type does to code and data."""

import pytest

from trueup.parity.schema.conversions import conversion

TIMESTAMPTZ, TIMESTAMP = "timestamp with time zone", "timestamp without time zone"

CASES = [
    ("text", "character varying(50)", "lossy", "longer than 50"),
    ("character varying(100)", "character varying(50)", "lossy", "longer than 50"),
    ("character varying(50)", "character varying(100)", "behavioural", "no longer refused"),
    ("character varying(50)", "text", "behavioural", "no longer refused"),
    ("text", "character varying", "cosmetic", "same strings"),
    ("text", "character(8)", "lossy", "padded"),
    ("character(8)", "text", "behavioural", "blanks"),
    ("character(8)", "character varying(4)", "lossy", "longer than 4"),
    ("character varying(5)[]", "character varying(3)[]", "lossy", "longer than 3"),
    ("bit(8)", "bit(4)", "lossy", "longer than 4"),
    ("bigint", "integer", "lossy", "2147483647"),
    ("integer", "smallint", "lossy", "32767"),
    ("bigint[]", "integer[]", "lossy", "2147483647"),
    ("integer", "bigint", "behavioural", "string"),
    ("integer", "numeric", "behavioural", "decimal"),
    ("bigint", "numeric(10,2)", "lossy", "8 digits"),
    ("integer", "numeric(12,2)", "behavioural", "decimal"),
    ("numeric(10,2)", "integer", "lossy", "rounded"),
    ("numeric", "numeric(10,2)", "lossy", "2 decimal places"),
    ("numeric(10,2)", "numeric", "behavioural", "no longer rounded"),
    ("numeric(10,2)", "numeric(8,2)", "lossy", "6 digits"),
    ("numeric(10,2)", "numeric(11,3)", "behavioural", "more room"),
    ("numeric(10,2)", "double precision", "lossy", "15 digits"),
    ("double precision", "real", "lossy", "6 digits"),
    ("numeric(10,3)", "numeric(12,2)", "lossy", "2 decimal places"),
    ("real", "double precision", "behavioural", "floating point"),
    ("bigint", "double precision", "lossy", "15 digits"),
    ("integer", "double precision", "behavioural", "floating point"),
    ("real", "numeric", "behavioural", "decimal"),
    (TIMESTAMPTZ, TIMESTAMP, "lossy", "offset"),
    ("timestamp(3) with time zone", TIMESTAMP, "lossy", "offset"),
    (TIMESTAMP, TIMESTAMPTZ, "behavioural", "session's time zone"),
    ("timestamp(3) with time zone", "timestamp(0) with time zone", "lossy", "0 digits"),
    ("timestamp(3) with time zone", TIMESTAMPTZ, "behavioural", "6 digits"),
    (TIMESTAMPTZ, "timestamp(6) with time zone", "cosmetic", "microseconds"),
    (TIMESTAMPTZ, "date", "lossy", "time of day"),
    ("date", TIMESTAMPTZ, "behavioural", "midnight"),
    ("jsonb", "text[]", "breaking", "malformed array literal"),
    ("jsonb", "character varying(50)", "breaking", "50"),
    ("jsonb", "text", "breaking", "structure"),
    ("json", "jsonb", "lossy", "keys"),
    ("jsonb", "json", "breaking", "jsonb"),
    ("text", "integer", "breaking", "text"),
    ("integer", "text", "breaking", "integer"),
    ("integer", "uuid", "breaking", "uuid"),
    ("text", "text[]", "breaking", "text[]"),
]


@pytest.mark.parametrize(("source", "target", "severity", "said"), CASES, ids=[f"{a} to {b}" for a, b, *_ in CASES])
def test_severity_and_sentence_of_a_change_of_type(build, source, target, severity, said):
    effect = conversion(build.column(type_=source), build.column(type_=target))

    assert effect.severity == severity
    assert said in effect.meaning


def test_domain_over_the_same_type_changes_checks_alone(build):
    source = build.column(type_="text")
    target = type(source)(name="c", type="public.phone", value_type=source.value_type)

    assert conversion(source, target).severity == "behavioural"
    assert "domain" in conversion(target, source).meaning
