"""A phone number as it is stored, looked for and compared: one form for every way of writing it."""

import re
from typing import Final, Self

import phonenumbers

from ai_admin.errors import InvalidPhone

HOME: Final = "RU"
"""Whose habits a number without `+` is read by."""
WITHOUT_PLUS = re.compile(r"\D*7\D*(\d\D*){10}", re.ASCII)
"""A Russian number as systems hand it around: 79…"""


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
    try:
        number = phonenumbers.parse(f"+{text}" if WITHOUT_PLUS.fullmatch(text) else text, HOME)
    except phonenumbers.NumberParseException as error:
        raise InvalidPhone(f"a text of {len(text)} characters is no phone number") from error
    if not phonenumbers.is_possible_number(number):
        raise InvalidPhone("a phone number is too short or too long for its country")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
