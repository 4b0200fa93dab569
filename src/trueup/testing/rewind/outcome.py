"""What became of a database that was to go back to its baseline."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewound:
    """Says that the database is at its baseline again, and what had to be done."""

    deleted: int = 0
    """Rows that were new or changed."""
    restored: int = 0
    """Rows that were gone or changed, put back from the copy."""
    tables: tuple[str, ...] = ()
    """Where those were, as `schema.table`."""
    sequences: tuple[str, ...] = ()
    """Which had moved."""


@dataclass(frozen=True, slots=True)
class NotRewound:
    """Says why the database is not, or can't be proven to be, at its baseline: throw it away and take a new clone.

    `reason` names objects and never shows a value of a row.
    """

    reason: str
    is_server_wide: bool = False
    """Whether a new clone on the same server has the same trouble: a role, the configuration, a replication slot."""

    def __bool__(self) -> bool:
        """Return False, so that `if baseline.rewind():` reads as it should."""
        return False


class Unproven(Exception):
    """Ends a rewind; it never leaves this package."""

    def __init__(self, reason: str, *, is_server_wide: bool = False) -> None:
        super().__init__(reason)
        self.outcome = NotRewound(reason, is_server_wide)
