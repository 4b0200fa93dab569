"""A command that the user, or a supervisor, ends: it tells what it knows, and ends by exit code 130."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def told_when_interrupted(tell: Callable[[], object]) -> Iterator[None]:
    """Call `tell` when SIGINT or SIGTERM ends the block."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        tell()
        raise KeyboardInterrupt from None
