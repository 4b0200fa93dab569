"""Real PostgreSQL in every test: the pytest plugin, and what it is made of."""

from typing import TYPE_CHECKING

from trueup.lazy import lazy_names

if TYPE_CHECKING:
    from trueup.testing.data.factories import Factory, Unique, factory
    from trueup.testing.data.making import Make

__all__ = ["Factory", "Make", "Unique", "factory"]

# pytest loads this package in runs that make no rows.
__getattr__ = lazy_names(
    __name__,
    {"Factory": "data.factories", "Unique": "data.factories", "factory": "data.factories", "Make": "data.making"},
)
