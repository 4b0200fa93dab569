"""When somebody works."""

import datetime as dt
from dataclasses import dataclass

from ai_admin.columns import Json
from trueup.tables import UNSET

MIDNIGHT = dt.time()
DAY = dt.timedelta(days=1)
Span = tuple[dt.timedelta, dt.timedelta]
"""From when to when, since midnight."""


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
    def spans(self) -> tuple[Span, ...]:
        """When work goes on, without the breaks, in order; none where that is not known, or on a day off."""
        if not self.is_working:
            return ()
        if found := read_spans(self.working_hours):
            return found
        if self.work_start is None or self.work_end is None:
            return ()
        return ((since_midnight(self.work_start), since_midnight(self.work_end)),)

    def has_room(self, taken: dt.timedelta) -> bool:
        """Say whether bookings that take so long leave time on the day; hours that are not known never fill up."""
        if not self.is_working:
            return False
        return not self.spans or taken < sum((end - begin for begin, end in self.spans), dt.timedelta())

    def covers(self, begins: dt.datetime, ends: dt.datetime) -> bool:
        """Say whether work goes on, without a break, from one moment to another, both on the clock of the salon.

        Hours that are not known don't limit a working day.
        """
        if not self.is_working or begins.date() != self.date:
            return False
        day = dt.datetime.combine(self.date, MIDNIGHT, begins.tzinfo)
        if self.work_start is not None and begins - day < since_midnight(self.work_start):
            return False
        if self.work_end is not None and ends - day > since_midnight(self.work_end):
            return False
        return not self.spans or any(start <= begins - day and ends - day <= end for start, end in self.spans)


def read_spans(working_hours: Json | None) -> tuple[Span, ...]:
    """Return the parts of a day in order, those without a break between them as one; none where one makes no sense.

    An end at midnight is the end of the day.
    """
    try:
        read = sorted((clock(part["from"]), clock(part["to"]) or DAY) for part in working_hours or ())
        if any(end <= begin for begin, end in read):
            return ()
    except (TypeError, ValueError, KeyError, AttributeError):
        return ()
    spans: list[Span] = []
    for begin, end in read:
        if spans and begin <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((begin, end))
    return tuple(spans)


def clock(text: str) -> dt.timedelta:
    """Return a time of the day since midnight; `24:00` is as well."""
    return DAY if text.startswith("24:00") else since_midnight(dt.time.fromisoformat(text))


def since_midnight(time: dt.time) -> dt.timedelta:
    """Return how long after midnight a time is."""
    return dt.datetime.combine(dt.date.min, time) - dt.datetime.combine(dt.date.min, MIDNIGHT)
