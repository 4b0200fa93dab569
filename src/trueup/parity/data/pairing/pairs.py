"""What is read of one table on each side, and what of it can't be compared. Does no I/O."""

from dataclasses import dataclass, replace
from typing import Literal

from trueup.parity.data.pairing.forms import Form
from trueup.parity.data.pairing.span import ALL_ROWS, Span
from trueup.parity.schema import QualifiedName, ValueType

Hashing = Literal["native", "text", "both"]
"""By the server's own record hash; by MD5 of the row's text, where the servers' own disagree; by both, 128 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadColumn:
    """Is one column as one side has it, and the form in which it is compared."""

    name: str
    form: Form
    value_type: ValueType


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Is how one side's table is read."""

    table: QualifiedName
    has_partitions: bool
    columns: tuple[ReadColumn, ...]
    """Those compared, in one order on both sides."""
    key: tuple[ReadColumn, ...] = ()
    """Empty where rows are told apart by their whole content."""
    is_key_enforced: bool = False
    """Whether the key is unique and not null on both sides, so that an index finds its rows."""
    has_integer_key: bool = False
    """Whether it is one integer besides."""
    to_utf8: bool = False
    """Whether the databases have different encodings, so that text must be converted to be the same."""
    hashing: Hashing = "native"
    span: Span = ALL_ROWS
    where: tuple[str, ...] = ()
    """Conditions of the user's on the side's own columns, as SQL."""
    since: "Floor | None" = None
    sample_parts: int | None = None
    """How many of SAMPLE_PARTS are read, each row belonging to one by the hash of its key; None: all."""

    @property
    def is_whole(self) -> bool:
        """Return whether no row is left out by what the user asked for."""
        return not (self.where or self.since or self.sample_parts is not None)

    @property
    def whole(self) -> "Reading":
        """Return the same without what the user left out."""
        return replace(self, span=ALL_ROWS, where=(), since=None, sample_parts=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Is the least value of a column that is read."""

    column: ReadColumn
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePair:
    """Is one table of both sides, and what of it can be compared."""

    source: Reading
    target: Reading
    names: tuple[str, ...] = ()
    """Of the columns compared, as the target calls them, in the order of both readings."""
    only_in_source: tuple[str, ...] = ()
    """Columns."""
    only_in_target: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    """Columns whose types have no form in common: `name (jsonb, text[])`."""

    @property
    def table(self) -> QualifiedName:
        """Return its name."""
        return self.source.table

    def within(self, span: Span) -> "TablePair":
        """Return the same, reading the rows of a span alone."""
        return replace(self, source=replace(self.source, span=span), target=replace(self.target, span=span))

    def sampled(self, parts: int) -> "TablePair":
        """Return the same, reading so many of SAMPLE_PARTS alone."""
        source, target = (replace(reading, sample_parts=parts) for reading in (self.source, self.target))
        return replace(self, source=source, target=target)

    @property
    def whole(self) -> "TablePair":
        """Return the same, reading all rows."""
        return replace(self, source=self.source.whole, target=self.target.whole)

    @property
    def is_sampled(self) -> bool:
        """Return whether a sample of the rows is read."""
        return self.source.sample_parts is not None

    @property
    def columns_not_compared(self) -> tuple[str, ...]:
        """Return every column that was left out, with the reason."""
        return (
            *(f"{name}: in the source only" for name in self.only_in_source),
            *(f"{name}: in the target only" for name in self.only_in_target),
            *(f"{name}: no common form" for name in self.unlike),
        )

    @property
    def gap(self) -> str | None:
        """Return what of the source was not compared, so that the rest can't prove the tables equal."""
        open_ = (*(f"{name} is missing in the target" for name in self.only_in_source), *self.unlike)
        return "columns not compared: " + ", ".join(open_) if open_ else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpaired:
    """Is one table of one side that can't be compared, and why."""

    reading: Reading
    in_source: bool
    """Else in the target."""
    reason: str
    is_absent: bool
    """Whether the other side has nothing of that name at all."""
    is_nowhere: bool = False
    """Whether neither side has."""

    @property
    def table(self) -> QualifiedName:
        """Return its name."""
        return self.reading.table
