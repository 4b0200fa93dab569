"""Real PostgreSQL in every test: the pytest plugin, and what it is made of."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trueup.testing.data.factories import Factory, Unique, factory
    from trueup.testing.data.making import Make

__all__ = ["Factory", "Make", "Unique", "factory"]

PLACES = {"Factory": "data.factories", "Unique": "data.factories", "factory": "data.factories", "Make": "data.making"}


def __getattr__(name: str) -> Any:
    """Import what is asked for: pytest loads this package in runs that make no rows."""
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{PLACES[name]}"), name)
