"""What a test, or a fixture that outlives tests, left behind."""

from collections.abc import Callable
from dataclasses import dataclass

from trueup.testing.guard.stacks import RawStack, readable


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Is one thing that should have been closed, given back or ended."""

    kind: str
    """connection, checkout, pool, thread, process, server, session, advisory lock, prepared transaction."""
    what: str
    stack: RawStack = ()
    """Of the call that opened it; empty where another process did."""
    end: Callable[[], object] | None = None
    """Ends it, so that the next test doesn't meet it; None: nothing can."""

    def __str__(self) -> str:
        return f"{self.what}; it came from\n{readable(self.stack)}" if self.stack else self.what
