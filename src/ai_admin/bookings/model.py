"""A booking: who comes when, to whom, for what."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from ai_admin.columns import Count, Money, Seconds
from trueup.tables import UNSET

Status = Literal["active", "confirmed", "completed", "past", "no_show", "cancelled"]

VACANT: tuple[Status, ...] = ("cancelled", "no_show")
"""A booking with one of these takes nobody's time; all others are live."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """Is one record of YClients; two live ones of one person never overlap."""

    yclients_record_id: int
    company_id: int = UNSET
    staff_id: int
    """External: what `StaffMember.yclients_id` is."""
    datetime: dt.datetime
    duration: Seconds
    client_phone: str | None = UNSET
    """In E.164, as `Phone` makes it."""
    client_name: str | None = UNSET
    client_yclients_id: int | None = UNSET
    staff_name: str | None = UNSET
    services: list[str] = UNSET
    service_ids: list[int] = UNSET
    """External ids: what `Service.yclients_id` is."""
    cost: Money = UNSET
    prepaid: Money = UNSET
    status: Status = UNSET
    visit_attendance: Count | None = UNSET
    """2 confirmed, 1 came, 0 is awaited, -1 did not come."""
    comment: str | None = UNSET
    online: bool = UNSET
    record_hash: str | None = UNSET
    synced_at: dt.datetime | None = UNSET
    created_by_bot: bool = UNSET
    date: dt.date = UNSET
    """The day of `datetime` where the salon is; the database keeps it, whatever is written."""
    created_at: dt.datetime = UNSET
    updated_at: dt.datetime = UNSET
    id: UUID = UNSET

    @property
    def ends_at(self) -> dt.datetime:
        """When the person is free again."""
        return self.datetime + dt.timedelta(seconds=self.duration)
