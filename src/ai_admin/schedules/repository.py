"""The schedules of one salon's staff."""

import datetime as dt
from collections.abc import Iterable

from ai_admin.columns import OF_TEST_COMPANY
from ai_admin.schedules.model import Schedule
from trueup.tables import Repository, Table, between, in_, lt

BY_DATE = ("date", "yclients_staff_id")


class Schedules(Repository[Schedule]):
    """Reads and writes days of people, each recognised by the person's id at YClients and the date."""

    table = Table(
        "public.staff_schedules",
        Schedule,
        primary_key=("id",),
        conflict_key=("yclients_staff_id", "date", "company_id"),
        tenant="company_id",
        touch="last_updated",
        marker=OF_TEST_COMPANY,
    )

    def on(self, yclients_staff_id: int, day: dt.date) -> Schedule | None:
        """Return a person's day, None when nothing is planned."""
        return self.find_one(yclients_staff_id=yclients_staff_id, date=day)

    def on_days(
        self,
        first: dt.date,
        last: dt.date,
        *,
        staff_ids: Iterable[int] | None = None,
        is_working: bool | None = None,
        limit: int | None = None,
        after: Schedule | None = None,
    ) -> list[Schedule]:
        """Return days from the first to the last, both included, by date and person.

        None stands for everybody, and for days on and off; no ids at all stand for nobody.
        """
        conditions: dict[str, object] = {"date": between(first, last)}
        if staff_ids is not None:
            ids = set(staff_ids)
            if not ids:
                return []
            conditions["yclients_staff_id"] = in_(ids)
        if is_working is not None:
            conditions["is_working"] = is_working
        return self.find_many(conditions, order_by=BY_DATE, limit=limit, after=after)

    def delete_before(self, day: dt.date) -> int:
        """Delete the salon's days before one, and return how many there were."""
        return self.delete(date=lt(day))
