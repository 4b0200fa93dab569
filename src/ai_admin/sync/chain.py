"""Takes over one salon after the other: each in its turn, whatever became of those before."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ai_admin.sync.runs import Outcome
from ai_admin.sync.salon import SalonSync
from trueup.errors import TrueupError


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """Is what became of one salon."""

    company_id: int
    outcomes: tuple[Outcome, ...]
    """Of the runs that came to their end, in their order; rejects included."""
    failure: TrueupError | None
    """What ended the last run, and kept those after it from beginning; None: nothing."""

    @property
    def is_whole(self) -> bool:
        """Whether all of the salon is as YClients has it."""
        return self.failure is None and all(each.run.status == "succeeded" for each in self.outcomes)


def sync_chain(salons: Callable[[int], SalonSync], company_ids: Iterable[int]) -> Iterator[Synced]:
    """Sync salons, and yield each when it is over; nothing of it is remembered, so a chain may be as long as it likes.

    Errors of the database, of YClients and of the data end one salon alone. Whoever sees that none comes through stops.
    """
    for company_id in company_ids:
        outcomes: list[Outcome] = []
        failure = None
        try:
            outcomes.extend(salons(company_id).runs())
        except TrueupError as error:
            failure = error
        yield Synced(company_id=company_id, outcomes=tuple(outcomes), failure=failure)
