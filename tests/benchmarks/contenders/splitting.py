"""What a user has to write by hand where a library refuses a whole batch for one bad row."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from time import monotonic
from typing import Any, Protocol

PATIENCE_S = 3.0


class TooSlow(BaseException):
    """Ends a race that takes longer than there is time for; no `except Exception` keeps it."""


class Deadline:
    """Is when a contender is no longer waited for."""

    def __init__(self) -> None:
        self.at = monotonic() + PATIENCE_S

    def check(self) -> None:
        if monotonic() > self.at:
            raise TooSlow


class Batches(Protocol):
    """Writes rows in bulk, and holds a savepoint."""

    def write_batch(self, rows: Sequence[Any]) -> object: ...

    def savepoint(self) -> AbstractContextManager[object]: ...


def write_good_rows(writer: Batches, rows: Sequence[Any], deadline: Deadline | None = None) -> int:
    """Write all rows that the server takes, halving what it refuses; return how many were bad."""
    deadline = deadline or Deadline()
    deadline.check()
    try:
        with writer.savepoint():
            writer.write_batch(rows)
    except Exception:  # noqa: BLE001  each library has its own error for a broken constraint
        if len(rows) == 1:
            return 1
        middle = len(rows) // 2
        bad = write_good_rows(writer, rows[:middle], deadline)
        return bad + write_good_rows(writer, rows[middle:], deadline)
    return 0
