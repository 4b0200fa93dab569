"""Text as files can hold it: what a form cannot carry is written out, never dropped."""

import re

SURROGATE = re.compile("[\ud800-\udfff]")
UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls: XML 1.0 forbids most of them, and a terminal obeys the others
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that turn the reading order of what follows
    "\ud800-\udfff\ufffe\uffff]"
)


def encodable(text: str) -> str:
    r"""Return the text with surrogates, which UTF-8 cannot carry, written as `\udc80`."""
    return SURROGATE.sub(_written_out, text)


def printable(text: str) -> str:
    r"""Return the text with everything that XML forbids or that would mislead the eye written as `\x00`.

    Line feeds and tabs stay.

    Source: Extensible Markup Language (XML) 1.0, "Characters"; Unicode Standard Annex 9, "Explicit Directional
    Formatting Characters".
    """
    return UNPRINTABLE.sub(_written_out, text)


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
