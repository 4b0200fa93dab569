import pytest

from trueup.parity.data.beyond.sequences import next_of
from trueup.parity.schema import QualifiedName, Sequence


def sequence(*, increment: int = 1, cycles: bool = False) -> Sequence:
    return Sequence(
        name=QualifiedName("public", "s"), type="bigint", start=1, increment=increment, minimum=1, maximum=10,
        cache=1, cycles=cycles,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("increment", "cycles", "last_value", "is_called", "following"),
    [
        (1, False, 1, False, 1),
        (1, False, 1, True, 2),
        (5, False, 1, True, 6),
        (-1, False, 5, True, 4),
        (1, False, 10, True, None),
        (1, True, 10, True, 1),
        (-1, True, 1, True, 10),
        (-1, False, 1, True, None),
    ],
)
def test_the_next_value_is_the_one_that_nextval_gives(
    increment: int, cycles: bool, last_value: int, is_called: bool, following: int | None
) -> None:
    found = next_of(sequence(increment=increment, cycles=cycles), last_value, is_called=is_called)

    assert found == following
