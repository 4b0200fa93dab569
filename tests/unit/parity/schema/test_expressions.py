import pytest

from trueup.parity.schema.expressions import mentions, normal, normal_default, without_casts


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("now()", "CURRENT_TIMESTAMP"),
        ("transaction_timestamp()", "CURRENT_TIMESTAMP"),
        ("(now() + '1 day'::interval)", "(CURRENT_TIMESTAMP + '1 day'::interval)"),
    ],
)
def test_spellings_of_the_same_moment_are_equal(one, other):
    assert normal(one) == normal(other)


@pytest.mark.parametrize("text", ["'now()'::text", '"now()"', "app.now()", "unknow()"])
def test_what_only_looks_like_now_stays(text):
    assert normal(text) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("'a'::text", "text"), ("'a'::character varying", "character varying(50)")),
        (("'it''s'::text", "text"), ("'it''s'::bpchar", "character(9)")),
        (("'{}'::jsonb", "jsonb"), ("'{}'::text[]", "text[]")),
        (("NULL::character varying", "character varying(5)"), (None, "character varying(5)")),
    ],
)
def test_a_default_does_not_differ_by_the_type_it_repeats(one, other):
    assert normal_default(*one) == normal_default(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("'a'::text", "text"), ("'b'::text", "text")),
        (("NULL::character varying", "public.phone"), (None, "public.phone")),
        (("''::text", "text"), (None, "text")),
        (("1", "integer"), ("'1'::text", "text")),
    ],
)
def test_defaults_that_differ_stay_different(one, other):
    assert normal_default(*one) != normal_default(*other)


def test_casts_go_and_literals_stay():
    narrow = "((status)::text = ANY ((ARRAY['a::text'::character varying, 'b'::character varying(9)])::text[]))"

    assert without_casts(narrow) == without_casts("(status = ANY (ARRAY['a::text'::text, 'b'::text]))")


def test_literals_with_different_text_stay_different_without_casts():
    assert without_casts("(a = '(1)'::text)") != without_casts("(a = '1'::text)")


@pytest.mark.parametrize(("text", "said"), [("(id > 0)", True), ("(paid > 0)", False), ('("id x" > 0)', False)])
def test_only_whole_names_are_mentioned(text, said):
    assert mentions(text, {"id"}) is said


def test_quoted_name_is_mentioned():
    assert mentions('CHECK (("Ünï ""q""" > 0))', {'Ünï "q"'})
