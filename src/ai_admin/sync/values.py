"""How the texts of YClients become values: moments, days, times, money."""

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

CENT = Decimal("0.01")
DEGREE = Decimal("0.0000001")
COMPACT_OFFSET = re.compile(r"([+-]\d\d)(\d\d)$")
END_OF_DAY = frozenset({"24:00", "24:00:00", "00:00", "00:00:00"})


class Unreadable(ValueError):
    """Says which field is not what it should be, without its value."""


def moment(text: str, zone: ZoneInfo, *, field: str) -> dt.datetime:
    """Return an instant: with an offset as it says, without one by the clock of the salon.

    Raises:
        Unreadable: it is no date with a time.
    """
    try:
        found = dt.datetime.fromisoformat(COMPACT_OFFSET.sub(r"\1:\2", text))
    except ValueError:
        raise Unreadable(f"{field} is no date with a time") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    try:
        return found.astimezone(dt.UTC)
    except OverflowError:
        raise Unreadable(f"{field} is out of range") from None


def day(text: str | None, *, field: str) -> dt.date | None:
    """Return the date that a text begins with; None for none, which `0000-00-00` is as well.

    Raises:
        Unreadable: it is no date.
    """
    if text is None or text.startswith("0000"):
        return None
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        raise Unreadable(f"{field} is no date") from None


def clock(text: str, *, field: str) -> dt.time:
    """Return a time of the day.

    Raises:
        Unreadable: it is none.
    """
    try:
        return dt.time.fromisoformat(text)
    except ValueError:
        raise Unreadable(f"{field} is no time") from None


def money(amount: Decimal | None, *, field: str) -> Decimal:
    """Return an amount in hundredths; 0 for none.

    Raises:
        Unreadable: it is no number, or has more digits than a number of the database.
    """
    return rounded(Decimal(0) if amount is None else amount, CENT, field)


def rating(score: Decimal | None, *, field: str) -> Decimal | None:
    """Return a score in hundredths."""
    return None if score is None else rounded(score, CENT, field)


def degrees(angle: Decimal | None, *, field: str) -> Decimal | None:
    """Return an angle as it is stored."""
    return None if angle is None else rounded(angle, DEGREE, field)


def rounded(number: Decimal, step: Decimal, field: str) -> Decimal:
    """Return a number in steps.

    Raises:
        Unreadable: it is none, or too long.
    """
    try:
        found = number.quantize(step)
    except InvalidOperation:
        raise Unreadable(f"{field} has too many digits") from None
    if not found.is_finite():
        raise Unreadable(f"{field} is no number")
    return found


def text_of(value: str | int | None) -> str | None:
    """Return a text that says something, without blanks around it; None for any other."""
    return str(value).strip() or None if value is not None else None
