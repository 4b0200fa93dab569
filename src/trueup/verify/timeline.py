"""What a run is doing now, and how long each part of it took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Timeline:
    """Announces each phase when it begins, and keeps its seconds when it ends."""

    def __init__(self, announce: Callable[[str], None] = lambda _: None) -> None:
        self.announce = announce
        self.phases: list[tuple[str, float]] = []

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time the block under `name`, whether it succeeds or fails."""
        self.announce(name)
        start = time.monotonic()
        try:
            yield
        finally:
            self.phases.append((name, time.monotonic() - start))
