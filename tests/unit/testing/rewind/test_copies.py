"""Which rows of a copy are missing in what is left of a table."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from trueup.testing.rewind.copies import missing

ROWS = st.lists(st.sampled_from([b"1\ta", b"1\tb", b"\\N", b"", b"\\\\N\x0b"]), max_size=8)


def as_text(rows: list[bytes]) -> bytes:
    """Return rows as COPY writes them."""
    return b"".join(row + b"\n" for row in rows)


@given(whole=ROWS, data=st.data())
def test_what_is_left_and_what_is_missing_are_the_whole(whole: list[bytes], data: st.DataObject) -> None:
    left = [row for row in whole if data.draw(st.booleans())]

    lacking = missing(as_text(whole), as_text(left))

    assert Counter((as_text(left) + lacking).split(b"\n")) == Counter(as_text(whole).split(b"\n"))


def test_twins_are_counted() -> None:
    assert missing(b"same\nsame\nother\n", b"same\n") == b"same\nother\n"
