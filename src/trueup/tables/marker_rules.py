"""What makes a row test data: the rules that a table contract can declare, one a table.

A rule says what a factory has to write as well as what a clean-up has to look for, so both can't drift apart. A value
that real rows have too is no rule: take a prefix that nobody is given, or a column made for it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Equals:
    """Marks the rows whose column equals a value: `Equals("is_test", True)`."""

    column: str
    value: Any

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at."""
        return (self.column,)

    def matches(self, row: object) -> bool:
        """Say whether a row as it is stored carries the mark."""
        return bool(getattr(row, self.column) == self.value)


@dataclass(frozen=True, slots=True)
class Affix(ABC):
    """Marks the rows whose text has another around it."""

    column: str
    text: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at."""
        return (self.column,)

    @property
    @abstractmethod
    def around(self) -> tuple[str, str]:
        """What stands before and after the rest of the text."""

    def matches(self, row: object) -> bool:
        """Say whether a row as it is stored carries the mark."""
        value, (before, after) = getattr(row, self.column), self.around
        return isinstance(value, str) and value.startswith(before) and value.endswith(after)


@dataclass(frozen=True, slots=True)
class Begins(Affix):
    """Marks the rows whose text begins with a prefix: `Begins("phone", "+7000")`."""

    @property
    def around(self) -> tuple[str, str]:
        """What stands before and after the rest of the text."""
        return (self.text, "")


@dataclass(frozen=True, slots=True)
class Ends(Affix):
    """Marks the rows whose text ends with a suffix: `Ends("email", "@test.invalid")`."""

    @property
    def around(self) -> tuple[str, str]:
        """What stands before and after the rest of the text."""
        return ("", self.text)


@dataclass(frozen=True, slots=True)
class Follows:
    """Marks the rows that point to a marked row: `Follows("public.clients", {"client_id": "id"})`."""

    parent: str
    """The other table, with its schema; it has a contract with a marker of its own."""
    keys: Mapping[str, str] = field(hash=False)
    """Which column points to which column of the other table."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it looks at."""
        return tuple(self.keys)

    def matches(self, row: object) -> bool:
        """Say whether a row points to anything; whether that is marked, only the database knows."""
        return all(getattr(row, name) is not None for name in self.keys)


Marker = Equals | Begins | Ends | Follows
