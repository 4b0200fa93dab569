"""Makes rows on a live database: each written down with it, and deleted by its key after the test."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from trueup.errors import Refused
from trueup.tables import Table
from trueup.tables.markers import clean, next_number, record
from trueup.testing.data.factories import Factory
from trueup.testing.data.making import Blueprints, Maker
from trueup.testing.live.database import LiveDatabase

R = TypeVar("R")


@dataclass(slots=True, kw_only=True, eq=False)
class LiveMaker(Maker):
    """Stores rows in a live database, in one transaction each with its entry in the journal."""

    live: LiveDatabase
    tables: tuple[Table[Any], ...]
    run: str
    """Under which the journal has this test."""

    @classmethod
    def on(cls, live: LiveDatabase, tables: tuple[Table[Any], ...], blueprints: Blueprints, seed: int) -> Self:
        """Return a maker with a run of its own, whose numbers the database counts."""

        def number() -> int:
            with live.connection() as connection:
                return next_number(connection)

        return cls(
            db=live,
            blueprints=blueprints,
            seed=seed,
            next_number=number,
            live=live,
            tables=tables,
            run=secrets.token_hex(8),
        )

    def store(self, found: Factory[R], values: Mapping[str, Any]) -> R:
        """Store a row with its entry, and return it.

        Raises:
            Refused: its table has no marker, or the row doesn't carry it.
        """
        if found.table.marker is None:
            raise Refused(f"{found.table.name}: its contract has no marker, so no test leaves a row in a live database")
        with self.live.transaction() as transaction:
            row = Maker.store(self, found, values)
            record(transaction.connection, found.table, [row], run=self.run)
        return row

    def close(self) -> None:
        """Delete what the test has made, by exact keys, and what points to it.

        Raises:
            CleanUpRefused: somebody else's row hangs on one; everything is left, for trueup testdata.
        """
        if self.made:
            clean(self.live, self.tables, run=self.run, max_delete=len(self.made) * 100 + 1000)
