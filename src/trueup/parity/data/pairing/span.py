"""Which rows of a table are read. Does no I/O."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Is which rows of a table are read: all; a range of its integer key; one of `parts` by the hash of its key."""

    low: int | None = None
    """Inclusive; None: no bound."""
    high: int | None = None
    """Exclusive."""
    part: int = 0
    parts: int = 1
    """A power of two."""

    def inside(self, outer: "Span") -> "Span":
        """Return those rows of a range that another one has as well."""
        lows = [end for end in (self.low, outer.low) if end is not None]
        highs = [end for end in (self.high, outer.high) if end is not None]
        return Span(low=max(lows, default=None), high=min(highs, default=None))

    def __str__(self) -> str:
        if self.parts > 1:
            return f"part {self.part + 1} of {self.parts}"
        if self.low is None:
            return "all rows" if self.high is None else f"keys below {self.high}"
        return f"keys from {self.low}" + (" on" if self.high is None else f", below {self.high}")


ALL_ROWS = Span()
