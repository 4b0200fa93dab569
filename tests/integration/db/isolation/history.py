"""What transactions did to lists that only grow, and what each was told in the end.

A list shows its whole past to whoever reads it, so that the order of all writes can be told from the reads.
Source: Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations" (2020).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

Version = tuple[int, ...]
"""The values of a list, in the order in which they were appended."""


class Told(Enum):
    """Is what a transaction's caller was told."""

    COMMITTED = "committed"
    ROLLED_BACK = "rolled back"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Append:
    """Adds a value, which nobody else ever adds, to the list of a key."""

    key: int
    value: int


@dataclass(frozen=True, slots=True)
class Read:
    """Is a list as a transaction saw it."""

    key: int
    seen: Version


Operation = Append | Read


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Is one attempt at a transaction: what it did, in order, and what became of it as far as its caller knows."""

    told: Told
    operations: tuple[Operation, ...]

    def appends(self) -> Iterator[Append]:
        return (operation for operation in self.operations if isinstance(operation, Append))

    def reads(self) -> Iterator[Read]:
        return (operation for operation in self.operations if isinstance(operation, Read))


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Is everything that happened, and what was stored when all of it was over."""

    events: tuple[Event, ...]
    stored: dict[int, Version]

    def count(self, told: Told) -> int:
        return sum(event.told is told for event in self.events)
