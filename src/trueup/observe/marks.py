"""Which exceptions were reported already: one failure passes many layers, each of which would report it."""

import contextlib
from dataclasses import dataclass

from trueup.observe.incident import causes

MARK = "_trueup_reported"
ORIGIN = "_trueup_origin"
DEPTH = 8


@dataclass(frozen=True, slots=True)
class Place:
    """Is what was being done when an exception came up."""

    component: str
    operation: str
    table: str | None


def is_reported(error: BaseException, depth: int = DEPTH) -> bool:
    """Return whether an exception, or what it was raised from, was reported; of a group, whether all its members were.

    What is raised while another error is handled, without `from`, is a failure of its own.
    """
    if any(noted(each, MARK) for each in chain(error)):
        return True
    if isinstance(error, BaseExceptionGroup) and depth:
        return all(is_reported(member, depth - 1) for member in error.exceptions)
    return False


def mark_reported(error: BaseException) -> None:
    """Note that an exception was reported, and what it was raised from with it."""
    for each in chain(error):
        note(each, MARK, value=True)


def note_place(error: BaseException, place: Place) -> None:
    """Remember the innermost place that an exception came from, for a report further out."""
    if place_of(error) is None:
        note(error, ORIGIN, value=place)


def place_of(error: BaseException) -> Place | None:
    """Return the place that was noted."""
    found = (noted(each, ORIGIN) for each in chain(error))
    return next((place for place in found if isinstance(place, Place)), None)


def chain(error: BaseException) -> list[BaseException]:
    """Return an exception and its causes; the exception alone if it can't be asked for them."""
    try:
        return list(causes(error))
    except Exception:  # noqa: BLE001
        return [error]


def note(error: BaseException, key: str, *, value: object) -> None:
    """Set an attribute; an exception that takes none may be reported twice, which is better than not at all."""
    with contextlib.suppress(Exception):
        setattr(error, key, value)


def noted(error: BaseException, key: str) -> object:
    """Return what was noted on an exception, None if nothing was or it can't be asked."""
    try:
        return getattr(error, key, None)
    except Exception:  # noqa: BLE001
        return None
