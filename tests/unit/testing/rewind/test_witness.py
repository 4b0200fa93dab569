import pytest

from trueup.testing.rewind.plans import Answer
from trueup.testing.rewind.witness import Witness, changed, numbers


@pytest.mark.parametrize(("array", "found"), [("{}", ()), ("{7}", ("7",)), ("{0,12}", ("0", "12"))])
def test_array_is_read_as_its_numbers(array: str, found: tuple[str, ...]) -> None:
    assert numbers(array) == found


def test_places_that_differ_are_found() -> None:
    assert changed(("1", "2", "3"), ("1", "5", "4")) == [1, 2]


@pytest.mark.parametrize(
    ("later", "is_comparable"),
    [(("", "5", "{9}", "{}"), True), (("now", "5", "{1}", "{}"), False), (("", "6", "{1}", "{}"), False)],
    ids=["rows written", "reset", "catalogs written"],
)
def test_reset_and_writes_into_catalogs_ask_for_a_look_at_everything(
    later: tuple[str, ...], is_comparable: bool
) -> None:
    then = Witness.of(Answer(rows=[("", "5", "{1}", "{}")], count=1))

    now = Witness.of(Answer(rows=[later], count=1))

    assert now.is_comparable(then) is is_comparable
