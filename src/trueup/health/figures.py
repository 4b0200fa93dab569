"""What of a result may be shown: figures, never a text that could name somebody."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from types import MappingProxyType

import msgspec

SECRET = object()


def figures(result: object) -> Mapping[str, object]:
    """Return the named numbers, truths, moments and durations (in seconds) of a result; its texts and lists stay out.

    A field of another dataclass or mapping is a mapping of its own figures.
    """
    named = ((name, figure(value)) for name, value in named_values(result))
    return MappingProxyType({name: value for name, value in named if value is not SECRET})


def named_values(result: object) -> Iterable[tuple[str, object]]:
    """Return what a dataclass, a struct or a mapping holds."""
    if isinstance(result, Mapping):
        return [(str(name), value) for name, value in result.items()]
    if isinstance(result, msgspec.Struct):
        return [(name, getattr(result, name)) for name in result.__struct_fields__]
    if is_dataclass(result) and not isinstance(result, type):
        return [(each.name, getattr(result, each.name)) for each in fields(result)]
    return []


def figure(value: object) -> object:
    """Return a value in the form in which JSON shows it, or SECRET."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime | date):
        return value.isoformat()
    if value is None or (isinstance(value, bool | int | float) and not isinstance(value, Enum)):
        return value
    return dict(nested) if (nested := figures(value)) else SECRET
