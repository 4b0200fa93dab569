"""A phone number as it is stored, looked for and compared: one form for every way of writing it."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self, TypeVar

import phonenumbers

from ai_admin.errors import InvalidPhone

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row", bound="DataclassInstance")

HOME: Final = "RU"
"""Whose habits a number without `+` is read by."""
PLAIN = re.compile(r"(?:\+?7|8(?!10))([0-9]{10})")
"""A Russian number: +7…, the 7… that systems hand around, the 8… that people dial; 810 goes abroad."""
SEPARATORS = re.compile(r"[\s().\u2010-\u2015-]+")


class Phone(str):
    """Is a phone number in E.164: `Phone("8 (000) 123-00-22") == "+70001230022"`.

    A number is accepted for its length, not for being in use: ranges are opened faster than tables of them are updated.

    Raises:
        InvalidPhone: the text is no number.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Read a number as people, programs and the API write it; an extension is left out."""
        if isinstance(text, cls):
            return text
        return super().__new__(cls, normalise(text))

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Return the number, None where there is none: nothing, a blank, what is too short or too long."""
        try:
            return cls(text) if text else None
        except InvalidPhone:
            return None


def normalise(text: str) -> str:
    """Return a number in E.164.

    Raises:
        InvalidPhone: it is none.
    """
    if not isinstance(text, str):
        raise InvalidPhone(f"a phone number is a str, not {type(text).__name__}")
    if plain := PLAIN.fullmatch(SEPARATORS.sub("", text)):
        return f"+7{plain[1]}"
    try:
        number = phonenumbers.parse(text, HOME)
    except phonenumbers.NumberParseException as error:
        raise InvalidPhone(f"a text of {len(text)} characters is no phone number") from error
    if not phonenumbers.is_possible_number(number):
        raise InvalidPhone("a phone number is too short or too long for its country")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def with_phone(row: Row, field: str) -> Row:
    """Return a row with a number in E.164, however it was written; one without a number as it is.

    Raises:
        InvalidPhone: it has a text that is none.
    """
    text = getattr(row, field)
    return replace(row, **{field: str(Phone(text))}) if isinstance(text, str) else row


def with_phones(rows: Iterable[Row], field: str) -> list[Row]:
    """Return rows with their numbers in E.164; a text that is none stays, for the database to refuse that row alone."""
    found = []
    for row in rows:
        text = getattr(row, field)
        phone = Phone.parse(text) if isinstance(text, str) else None
        found.append(row if phone is None or phone == text else replace(row, **{field: str(phone)}))
    return found
