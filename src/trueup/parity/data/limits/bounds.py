"""What a comparison may cost: rows that it lists, workers, time, and how hard it presses the servers. Does no I/O."""

from dataclasses import dataclass, replace

from trueup.errors import UsageError

SEGMENT_BYTES = 256 * 2**20
GENTLE_SEGMENT_BYTES = 32 * 2**20
"""Of a table's file, read between two pauses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Is how much a comparison may cost.

    Raises:
        UsageError: a number is out of its range, or two contradict each other.
    """

    max_rows: int = 1_000
    """The differing rows of a table that are listed; the others are counted."""
    jobs: int = 1
    """How many segments are compared at a time, each over a connection of its own to either server."""
    max_seconds: float | None = None
    """After which it is stopped; None: it runs to its end."""
    statement_timeout_s: float | None = None
    """After which a server gives up a statement, and its table is inconclusive; 0: never; None: as the role has it."""
    is_gentle: bool = False
    """Whether the servers have other work to do: one worker, none of the server's own, and a pause as long as each
    segment took."""
    max_active: int = 20
    """A gentle comparison is stopped where more connections than this are at work on a server, its own not counted."""

    def __post_init__(self) -> None:
        least = {"max_rows": 0, "jobs": 1, "max_active": 0}
        for name, number in least.items():
            if getattr(self, name) < number:
                raise UsageError(f"{name} is {getattr(self, name)}; it has to be at least {number}")
        if self.max_seconds is not None and self.max_seconds <= 0:
            raise UsageError(f"max_seconds is {self.max_seconds:g}; it has to be above 0")
        if self.statement_timeout_s is not None and self.statement_timeout_s < 0:
            raise UsageError(f"statement_timeout_s is {self.statement_timeout_s:g}; it has to be at least 0")
        if self.is_gentle and self.jobs > 1:
            raise UsageError(f"a gentle comparison has one worker, not {self.jobs}: leave out one of the two")

    def after(self, seconds: float) -> "Bounds":
        """Return what is left after so many seconds: one at least."""
        if self.max_seconds is None:
            return self
        return replace(self, max_seconds=max(1.0, self.max_seconds - seconds))

    @property
    def segment_bytes(self) -> int | None:
        """Return how large a part of a table is compared at a time; None: the whole table, which is the fastest."""
        if self.is_gentle:
            return GENTLE_SEGMENT_BYTES
        return SEGMENT_BYTES if self.jobs > 1 or self.max_seconds else None

    @property
    def session(self) -> tuple[tuple[str, str], ...]:
        """Return what is set on each connection besides, by the names of the server's own settings."""
        found: tuple[tuple[str, str], ...] = ()
        if self.is_gentle:
            found += (("max_parallel_workers_per_gather", "0"),)
        if self.statement_timeout_s is not None:
            found += (("statement_timeout", str(round(self.statement_timeout_s * 1000))),)
        return found


USUAL = Bounds()
"""What a comparison may cost unless somebody says otherwise."""
