import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.report.text import encodable, printable

ANYTHING = st.text(st.characters(exclude_categories=()))


@given(ANYTHING)
def test_encodable_text_is_utf8(text):
    encodable(text).encode("utf-8")


@given(st.text())
def test_text_without_surrogates_stays_as_it_is(text):
    assert encodable(text) == text


@pytest.mark.parametrize("text", ["public.clients", "naïve 表 🙂", "עברית", "a\tb\nc", "<&>"])
def test_ordinary_text_is_printed_as_it_is(text):
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("\x00", r"\x00"), ("\x1b[31m", r"\x1b[31m"), ("\r", r"\x0d"), ("\u202e", r"\u202e"), ("\udc80", r"\udc80")],
    ids=["null", "escape", "carriage return", "right-to-left override", "surrogate"],
)
def test_what_would_mislead_or_break_is_written_out(text, expected):
    assert printable(text) == expected
