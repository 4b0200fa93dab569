"""A whole column is one text, whose values can be told apart."""

from datetime import UTC, datetime

import pytest

from trueup.tables.sql_types import parse_type
from trueup.tables.texts import write_arrays, write_scalars, write_texts, writer_of

SEPARATOR, NULL = b"\x1e", b"\x1d"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (["a", None, ""], b"\x1ea\x1e\x1d\x1e"),
        ([""], b"\x1e"),
        (["\u0401"], "\x1e\u0401".encode()),
        (["a\x1eb"], None),
        (["\x1d", None], None),
    ],
)
def test_texts_are_written_as_they_are_unless_one_holds_a_mark(values, text):
    assert write_texts(values, SEPARATOR, NULL) == text


def test_scalars_are_written_without_quotes():
    values = [1, None, True, 0.5, datetime(2031, 5, 12, 9, tzinfo=UTC)]

    assert write_scalars(values, SEPARATOR, NULL) == b"\x1e1\x1e\x1d\x1etrue\x1e0.5\x1e2031-05-12 09:00:00Z"


def test_lists_are_written_as_array_literals():
    values = [["a]", 'b"', "\\"], None, [], [None]]

    assert write_arrays(values, SEPARATOR, NULL) == b'\x1e{"a]","b\\"","\\\\"}\x1e\x1d\x1e{}\x1e{null}'


@pytest.mark.parametrize(
    ("kind", "writer"), [("text", write_texts), ("text[]", write_arrays), ("bigint", write_scalars)]
)
def test_each_family_has_its_writer(kind, writer):
    assert writer_of(parse_type(kind)[0]) is writer
