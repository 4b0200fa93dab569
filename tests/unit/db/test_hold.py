"""The stack of a checkout: which lines led to it, and nothing that lived there."""

from trueup.db.hold import DEPTH, Hold, capture, readable


def outer() -> tuple[object, ...]:
    secret = "+7 900"
    return inner(secret)


def inner(secret: str) -> tuple[object, ...]:
    assert secret
    return capture()


def test_stack_names_lines_the_innermost_first_and_no_values() -> None:
    text = readable(outer())  # type: ignore[arg-type]

    lines = text.splitlines()
    assert "test_hold.py:13 in inner" in lines[0]
    assert "test_hold.py:8 in outer" in lines[1]
    assert "in test_stack_names_lines" in lines[2]
    assert "900" not in text


def test_stack_is_cut_off() -> None:
    def deep(left: int) -> tuple[object, ...]:
        return deep(left - 1) if left else capture()

    assert len(deep(50)) == DEPTH


def test_hold_says_how_long_and_where() -> None:
    text = str(Hold(capture()))

    assert "held for 0.0 s" in text
    assert "in test_hold_says_how_long_and_where" in text


def test_hold_of_the_pool_itself_says_so() -> None:
    assert str(Hold(())) == "held for 0.0 s by the pool itself"
