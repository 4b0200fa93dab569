"""Importing what is no test, while a run waits for it."""

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

REWRITING = "_pytest.assertion.rewrite"
"""The module of the finder by which pytest rewrites assertions of tests and plugins."""


@contextmanager
def quick_imports() -> Iterator[None]:
    """Import what is no test: no garbage is looked for in it, and pytest isn't asked what it would rewrite.

    Importing makes no garbage, and to look through all that was imported takes its time; to ask takes 10 µs a module,
    and more for one of ours.
    """
    plain = PlainFinder()
    rewriting = [finder for finder in sys.meta_path if type(finder).__module__ == REWRITING]
    for finder in rewriting[:1]:  # What others have put before it is still asked before.
        sys.meta_path.insert(sys.meta_path.index(finder), plain)
    with no_search_for_garbage():
        try:
            yield
        finally:
            with suppress(ValueError):
                sys.meta_path.remove(plain)


@contextmanager
def no_search_for_garbage() -> Iterator[None]:
    """Look for no garbage; afterwards, what was made meanwhile counts as old and is looked through as seldom."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():  # What somebody has frozen would thaw.
            gc.freeze()
            gc.unfreeze()
        if was_enabled:
            gc.enable()


class PlainFinder(MetaPathFinder):
    """Finds modules as Python does without pytest; what it doesn't find others are asked for."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return where a module is on the path."""
        return PathFinder.find_spec(name, path, target)
