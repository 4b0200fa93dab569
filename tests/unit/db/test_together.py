"""Two contexts at once: whatever happens to one, the other is left, and both are told of."""

from _thread import interrupt_main
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Barrier, Event, current_thread

import pytest

from trueup.db.together import together
from trueup.errors import ConnectionFailed, TrueupError, UsageError

LONG_S = 20


@pytest.fixture
def log() -> list[str]:
    return []


@contextmanager
def thing(log: list[str], name: str, *, error: BaseException | None = None) -> Iterator[str]:
    if error:
        raise error
    log.append(f"{name} entered")
    try:
        yield name
    except BaseException as problem:
        log.append(f"{name} told of {type(problem).__name__}")
        raise
    finally:
        log.append(f"{name} left")


def test_both_are_entered_at_once() -> None:
    barrier = Barrier(2)

    @contextmanager
    def waiting() -> Iterator[int]:
        yield barrier.wait(LONG_S)

    with together(waiting(), waiting()) as numbers:
        assert sorted(numbers) == [0, 1]


def test_the_second_is_left_before_the_first(log: list[str]) -> None:
    with together(thing(log, "a"), thing(log, "b")) as names:
        assert names == ("a", "b")

    assert log[2:] == ["b left", "a left"]


def test_both_are_told_of_an_error_inside(log: list[str]) -> None:
    with pytest.raises(KeyError), together(thing(log, "a"), thing(log, "b")):
        raise KeyError

    assert log[2:] == ["b told of KeyError", "b left", "a told of KeyError", "a left"]


@pytest.mark.parametrize("fails", ["a", "b"])
def test_where_one_fails_the_other_is_left(log: list[str], fails: str) -> None:
    error = ConnectionFailed("no way to it", is_final=True)
    sides = [thing(log, name, error=error if name == fails else None) for name in "ab"]

    with pytest.raises(ConnectionFailed, match=r"^no way to it$") as caught, together(*sides):
        pytest.fail("it was entered")

    assert caught.value is error
    assert [line.split()[1] for line in log] == ["entered", "told", "left"]


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (ConnectionFailed("no a"), ConnectionFailed("no b"), "no a; also, no b"),
        (UsageError("no a"), ConnectionFailed("no b"), "no a; also, no b"),
        (ConnectionFailed("no c"), ConnectionFailed("no c"), "no c"),
        (UsageError("no a"), ZeroDivisionError("b"), "no a"),
        (ZeroDivisionError("a"), UsageError("no b"), "a"),
    ],
)
def test_where_both_fail_both_are_told(log: list[str], first: Exception, second: Exception, said: str) -> None:
    with pytest.raises(type(first)) as caught, together(thing(log, "a", error=first), thing(log, "b", error=second)):
        pytest.fail("it was entered")

    assert str(caught.value) == said
    assert isinstance(first, ZeroDivisionError) or isinstance(caught.value, TrueupError)


@pytest.mark.parametrize("cause", ["error", "interruption"])
def test_one_that_is_still_entered_is_left_by_itself(
    log: list[str], cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that doesn't answer keeps nobody from leaving."""
    monkeypatch.setattr("trueup.db.together.PATIENCE_S", 0.01)
    go_on, is_left = Event(), Event()

    @contextmanager
    def slow() -> Iterator[None]:
        assert go_on.wait(LONG_S)
        try:
            yield
        finally:
            log.append(current_thread().name)
            is_left.set()

    @contextmanager
    def broken() -> Iterator[None]:
        if cause == "error":
            raise UsageError("no such thing")
        interrupt_main()
        yield

    with pytest.raises(UsageError if cause == "error" else KeyboardInterrupt), together(slow(), broken()):
        pytest.fail("it was entered")
    go_on.set()

    assert is_left.wait(LONG_S)
    assert log == ["trueup opening"]
