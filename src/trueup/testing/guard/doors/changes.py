"""Functions that stand in the place of others for as long as a run lasts."""

from collections.abc import Callable
from typing import Any


class Changes:
    """Puts functions in the place of others, and takes them out again."""

    def __init__(self) -> None:
        self.originals: list[tuple[Any, str, Any]] = []

    def replace(self, place: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Put what `make` returns for the original in its place."""
        original = getattr(place, name)
        self.originals.append((place, name, original))
        setattr(place, name, make(original))

    def undo(self) -> None:
        """Put every original back."""
        while self.originals:
            place, name, original = self.originals.pop()
            setattr(place, name, original)
