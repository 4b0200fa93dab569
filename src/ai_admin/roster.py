"""Writes the whole list of what a salon has, and takes out of use what is no longer on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ai_admin.errors import EmptyList
from trueup.tables import Repository, Written, not_in


class Listed(Protocol):
    """Is a row of a list: it has an id at YClients."""

    @property
    def yclients_id(self) -> int:
        """Its id at YClients."""


Row = TypeVar("Row", bound=Listed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """Is what became of a list."""

    written: Written
    deactivated: tuple[int, ...]
    """Ids at YClients of what was in use and is not on the list, in their order."""


def replace_roster(repository: Repository[Row], rows: Sequence[Row], *, partial: bool = False) -> Replaced:
    """Write the rows and deactivate all others of the salon, in one transaction.

    `rows` must be the whole list: never that of an incomplete answer. A row that the server refuses under `partial` is
    still on the list, so what is stored of it stays in use.

    Raises:
        EmptyList: there are no rows.
        DatabaseError: a row was refused without `partial`; nothing was changed.
    """
    if not rows:
        raise EmptyList(f"{repository.table.name}: a list without rows would deactivate all there is; nothing was done")
    with repository.db.transaction():
        written = repository.bulk_upsert(rows, mode="sync", partial=partial)
        gone = repository.update(
            {"is_active": False}, yclients_id=not_in([row.yclients_id for row in rows]), is_active=True
        )
    return Replaced(written=written, deactivated=tuple(sorted(row.yclients_id for row in gone)))
