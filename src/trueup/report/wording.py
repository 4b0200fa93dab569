"""Numbers, times and long texts as people read them."""

from collections.abc import Mapping

MOST_OF_A_TEXT = 2_000
"""Characters."""


def clip(text: str, most: int = MOST_OF_A_TEXT) -> str:
    """Return the text, its end replaced by the number of characters left out where it is too long to be read."""
    more = len(text) - most
    return f"{text[:most]}… ({more:,} more characters)" if more > 0 else text


def quantity(number: int, plural: str) -> str:
    """Return the number and its noun: `1 table`, `58,730 rows`."""
    noun = plural.replace("_", " ")
    return f"{number:,} {_singular(noun) if number == 1 else noun}"


def amounts(compared: Mapping[str, int]) -> str:
    """Return how much was compared in words: `16 tables, 58,730 rows`, or `nothing`."""
    return (
        ", ".join(quantity(number, what) for what, number in compared.items()) if any(compared.values()) else "nothing"
    )


def duration(seconds: float) -> str:
    """Return the time as people say it: `12 ms`, `3.4 s`, `2 min 5 s`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,} min {rest} s"


def _singular(noun: str) -> str:
    if noun.endswith("ies"):
        return noun.removesuffix("ies") + "y"
    if noun.endswith(("xes", "sses", "shes", "ches")):
        return noun.removesuffix("es")
    return noun.removesuffix("s")
