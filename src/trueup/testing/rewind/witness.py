"""What the server's own statistics say about where something was changed, so that only that has to be looked at.

They are exact here, though they are only meant to inform: a session hands in what it has counted when it ends, and
before its next answer when it is told to (`FLUSH`), and the session that rewinds counts nothing. Every place is looked
at instead where a session is left that was not told to, where statistics were reset, are not kept or come late (before
version 15), and where catalogs were written: TRUNCATE counts as nothing else. Who turns `track_counts` off in a
session, which takes a superuser, is not seen.

Source: PostgreSQL, src/backend/utils/activity/pgstat.c (pgstat_report_stat, pgstat_shutdown_hook).
"""

from dataclasses import dataclass

from trueup.testing.rewind.plans import Answer

FLUSH = b"select pg_catalog.pg_stat_force_next_flush()"
"""Has a session hand in what it has counted before it answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Is what was counted by one moment; numbers only grow, but for a reset."""

    begun: str
    """When the statistics were last reset."""
    catalogs: str
    """Writes into the catalogs."""
    tables: tuple[str, ...]
    """Writes into each table, in the order of the structure."""
    sequences: tuple[str, ...]
    """Reads of each sequence."""

    @classmethod
    def of(cls, answer: Answer) -> "Witness":
        """Return what the statement `witness` has answered."""
        ((begun, catalogs, tables, sequences),) = answer.rows
        return cls(begun=begun, catalogs=catalogs, tables=numbers(tables), sequences=numbers(sequences))

    def is_comparable(self, earlier: "Witness") -> bool:
        """Say whether it tells all that was changed since an earlier one."""
        return (self.begun, self.catalogs) == (earlier.begun, earlier.catalogs)


def numbers(array: str) -> tuple[str, ...]:
    """Return the elements of an array of numbers."""
    return tuple(array[1:-1].split(",")) if len(array) > len("{}") else ()


def changed(now: tuple[str, ...], then: tuple[str, ...]) -> list[int]:
    """Return the places where two lists differ."""
    return [place for place, (one, other) in enumerate(zip(now, then, strict=True)) if one != other]
