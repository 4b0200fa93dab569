"""The values of variables: counts, shares, flags and times, each with an error that names the variable."""

import re
from types import MappingProxyType

from trueup.errors import UsageError

UNITS = MappingProxyType({"": 0.001, "ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0})
FLAGS = MappingProxyType({"true": True, "false": False})
SCALES = MappingProxyType(
    {
        "count": "a whole number from 1",
        "time": "a time above 0, such as 30000 (milliseconds), 30s, 10min or 1h",
        "share": "a share above 0, up to 1",
        "flag": "true or false",
    }
)


def read_number(name: str, text: str, *, scale: str) -> float | int | bool:
    """Return the value of a limit: a count, a share of 1, a flag, or a time in seconds.

    Raises:
        UsageError: with the variable's name.
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) ?(ms|s|min|h|)", text.strip())
    if scale == "flag" and text.strip().lower() in FLAGS:
        return FLAGS[text.strip().lower()]
    if scale == "time" and found and float(found[1]) > 0:
        return float(found[1]) * UNITS[found[2]]
    if scale == "count" and text.strip().isdecimal() and int(text) > 0:
        return int(text)
    if scale == "share" and found and not found[2] and 0 < float(found[1]) <= 1:
        return float(found[1])
    raise UsageError(f"{name}={text!r} is not {SCALES[scale]}")
