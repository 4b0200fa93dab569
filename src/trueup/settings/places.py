"""What a configuration names by its place in the project's code."""

import sys
from importlib import import_module

from trueup.errors import UsageError


def load_place(place: str) -> object:
    """Return what `package.module:name` names; the current folder can be imported from.

    Raises:
        UsageError: there is no such module or name, or importing it failed; with the place and the reason.
    """
    if "" not in sys.path:
        sys.path.insert(0, "")
    module, _, name = place.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"{place}: {error}") from error
