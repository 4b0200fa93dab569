"""How a thing is altered where it stands."""

from typing import NamedTuple

from trueup.parity.schema.model import ObjectKey


class Alteration(NamedTuple):
    """Is how a thing is altered."""

    statements: tuple[str, ...]
    touches: bool = False
    """Whether what depends on it has to be dropped before, and made again after."""
    swaps: frozenset[ObjectKey] = frozenset()
    """The columns that are converted with it."""
    is_swap: bool = False
    """Whether another one stands in its place."""
    checks: tuple[str, ...] = ()
    """Queries that count the rows at which it fails."""

    def passed_on(self, table: str, child: str) -> tuple[str, ...]:
        """Return the statements as they read for the parent that passes them on to a child."""
        return tuple(each.replace(f"alter table {child} ", f"alter table {table} ", 1) for each in self.statements)
