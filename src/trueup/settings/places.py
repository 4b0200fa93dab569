"""What a configuration names by its place in the project's code."""

import re
import sys
from importlib import import_module
from traceback import extract_tb
from types import ModuleType

from trueup.errors import UsageError

PLACE = re.compile(r"(\w+(?:\.\w+)*):(\w+)")


def load_place(place: str) -> object:
    """Return what `package.module:name` names; the current folder can be imported from.

    Raises:
        UsageError: there is no such module or name, or importing it failed; with the place and the reason.
    """
    found = PLACE.fullmatch(place)
    if not found:
        raise UsageError(f"{place!r} is not of the form package.module:name")
    module, name = found.groups()
    try:
        return getattr(load_module(place, module), name)
    except AttributeError as error:
        raise UsageError(f"{place}: {error}") from error


def load_module(place: str, name: str) -> ModuleType:
    """Return a module of the project.

    Raises:
        UsageError: there is none, or it fails; where it isn't its code that is quoted, only with the kind of the error.
    """
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        return import_module(name)
    except (ImportError, SyntaxError) as error:
        raise UsageError(f"{place}: {error}") from error
    except (Exception, SystemExit) as error:
        # It is the project's code: whatever it raises, nothing was verified, even where it asks for exit code 0.
        last = extract_tb(error.__traceback__)[-1]
        raise UsageError(
            f"{place}: importing it failed with {type(error).__name__} in {last.filename}, line {last.lineno}"
        ) from error
