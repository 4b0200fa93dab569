"""What is written to make rows of one database like those of another, as plain values. Does no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from trueup.parity.data.model import Key
from trueup.parity.data.pairing.pairs import Reading
from trueup.parity.schema import QualifiedName, Table

Values = Mapping[str, str | None]
"""By the target's names of the columns, as text that the column's type reads back exactly."""
Kind = Literal["insert", "update", "delete"]
Place = tuple[QualifiedName, Key]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Is a table of the target, and how its rows are named."""

    table: Table
    reading: Reading
    """Of the target; with the key that both sides enforce."""

    @property
    def name(self) -> QualifiedName:
        """Return its name."""
        return self.table.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """Is one row as a side has it."""

    values: Values
    digest: str = ""
    """MD5 of the text of all its columns; of the target's rows alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Is what is done to one row, if it is still what it was."""

    kind: Kind
    written: Written
    key: Key
    values: Values
    """What is written; nothing where the row is deleted."""
    held: Values
    """What the row holds before, as far as it is known; nothing where there is none."""
    guarded: tuple[str, ...] = ()
    """The columns that must be what they were."""
    digest: str = ""
    """MD5 of their text; empty where no row may be there."""

    @property
    def place(self) -> Place:
        """Return which row it is."""
        return self.written.name, self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Is a table or a row for which nothing is written, and why."""

    object: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """Is what makes the target like the source, and what makes it as it was."""

    there: tuple[Change, ...] = ()
    back: tuple[Change, ...] = ()
    refused: tuple[Refusal, ...] = ()
    triggers: tuple[str, ...] = ()
    """Those that fire: `audit on public.clients`."""

    @property
    def counts(self) -> dict[str, int]:
        """Return how many rows are changed, by kind."""
        kinds: tuple[Kind, ...] = ("insert", "update", "delete")
        return {f"{kind}s": sum(change.kind == kind for change in self.there) for kind in kinds}

    @property
    def summary(self) -> str:
        """Return the same in words: `1 insert, 2 updates, 0 deletes`."""
        return ", ".join(f"{number:,} {kinds[:-1] if number == 1 else kinds}" for kinds, number in self.counts.items())
