"""When somebody works."""

import datetime as dt
from dataclasses import dataclass

from ai_admin.columns import Json
from trueup.tables import UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Is one day of one person; a day without a schedule is a day off."""

    yclients_staff_id: int
    company_id: int = UNSET
    date: dt.date
    staff_name: str | None = UNSET
    is_working: bool = UNSET
    work_start: dt.time | None = UNSET
    work_end: dt.time | None = UNSET
    working_hours: Json | None = UNSET
    """Several parts of a day, with breaks between, as YClients has them: `[{"from": "10:00", "to": "14:30"}, …]`."""
    has_booking_slots: bool = UNSET
    last_updated: dt.datetime = UNSET
    id: int = UNSET

    @property
    def worked(self) -> dt.timedelta | None:
        """How long the day is; None where its hours are not known."""
        if not self.is_working:
            return dt.timedelta()
        if self.work_start is None or self.work_end is None:
            return None
        day = dt.date.min
        return dt.datetime.combine(day, self.work_end) - dt.datetime.combine(day, self.work_start)

    def has_room(self, taken: dt.timedelta) -> bool:
        """Say whether bookings that take so long leave time on the day; hours that are not known never fill up."""
        if not self.is_working:
            return False
        worked = self.worked
        return worked is None or taken < worked

    def covers(self, begins: dt.datetime, ends: dt.datetime) -> bool:
        """Say whether work goes on from one moment to another, both on the clock of the salon.

        Hours that are not known don't limit a working day.
        """
        if not self.is_working or begins.date() != self.date:
            return False
        if self.work_start is not None and begins.time() < self.work_start:
            return False
        return self.work_end is None or ends <= dt.datetime.combine(self.date, self.work_end, begins.tzinfo)
