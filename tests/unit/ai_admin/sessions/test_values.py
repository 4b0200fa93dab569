import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_admin.sessions.values import canonical_hash, stored_creds, stored_key, with_one_buffer_form
from trueup.tables import InvalidValue

NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(st.binary(max_size=40))
def test_each_form_of_bytes_becomes_the_one_that_baileys_reads(data):
    new = {"type": "Buffer", "data": b64encode(data).decode()}

    for form in ({"type": "Buffer", "data": list(data)}, {"buffer": True, "value": list(data)}, new):
        assert with_one_buffer_form({"deep": [form]}) == {"deep": [new]}
        assert canonical_hash(form) == canonical_hash(new)


@pytest.mark.parametrize(
    "value",
    [
        {"type": "Buffer", "data": [256]},
        {"type": "Buffer", "data": [-1]},
        {"type": "Buffer", "data": [True]},
        {"type": "Buffer", "data": [1.0]},
        {"type": "Buffer", "data": None},
        {"type": "Buffer", "data": [1], "more": 1},
        {"type": "buffer", "data": [1]},
        {"buffer": 1, "value": [1]},
        {"buffer": False, "value": [1]},
        {"buffer": True, "value": "AQ=="},
        {"data": [1]},
    ],
)
def test_what_only_looks_like_bytes_is_left_alone(value):
    assert with_one_buffer_form(value) == value


@given(VALUES)
def test_value_without_bytes_stays_as_it_is(value):
    assert with_one_buffer_form(value) == value


@given(VALUES)
def test_hash_does_not_depend_on_the_order_of_keys(value):
    def reversed_keys(found):
        if isinstance(found, dict):
            return {key: reversed_keys(item) for key, item in reversed(found.items())}
        return [reversed_keys(item) for item in found] if isinstance(found, list) else found

    assert canonical_hash(reversed_keys(value)) == canonical_hash(value)
    assert canonical_hash(json.loads(json.dumps(value))) == canonical_hash(value)


@pytest.mark.parametrize(
    ("one", "other"), [(1, 1.0), (0, -0.0), (10**21, 1e21), (2**53, float(2**53)), ([1, {"a": 2}], [1.0, {"a": 2.0}])]
)
def test_numbers_that_are_equal_in_node_have_one_hash(one, other):
    assert canonical_hash(one) == canonical_hash(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", 1),
        (True, 1),
        (None, False),
        ([], {}),
        ("", None),
        ([1, 2], [2, 1]),
        ({"a": 1}, {"b": 1}),
        (0.1, 0.2),
        (2**53 - 1, 2**53 - 2),
        ({"type": "Buffer", "data": "AQ=="}, {"type": "Buffer", "data": "Ag=="}),
    ],
)
def test_values_that_differ_have_different_hashes(one, other):
    assert canonical_hash(one) != canonical_hash(other)


@pytest.mark.parametrize("value", ["a\0b", "\ud800", float("nan"), b"x", {1: 2}, {"a\0": 1}, object()])
def test_what_jsonb_can_not_hold_is_refused_with_its_reason_and_without_itself(value):
    with pytest.raises(InvalidValue) as refused:
        stored_key("session", {"secret": [value]})

    assert str(refused.value).startswith("public.whatsapp_keys.value: the value of a session ")
    assert "secret" not in str(refused.value)
    assert refused.value.columns == ("value",)


@pytest.mark.parametrize(("value", "sqlstate"), [("a\0b", "22P05"), ("\ud800", "22P05"), (float("nan"), "22023")])
def test_refusal_has_the_code_that_the_server_would_have_given(value, sqlstate):
    with pytest.raises(InvalidValue) as refused:
        stored_key("session", [value])

    assert refused.value.sqlstate == sqlstate


@pytest.mark.parametrize("creds", [None, [], "text", 7, True])
def test_credentials_are_an_object(creds):
    with pytest.raises(InvalidValue, match=r"public\.whatsapp_auth\.creds: the value is no object") as refused:
        stored_creds(creds)

    assert refused.value.sqlstate == "22023"


def test_credentials_are_refused_as_credentials():
    with pytest.raises(InvalidValue, match=r"public\.whatsapp_auth\.creds: the value holds"):
        stored_creds({"a": "\0"})
