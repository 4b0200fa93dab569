"""A reminder about a booking that was sent to somebody."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from trueup.tables import UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """Is one notification; there is one of a kind about a booking a day, where the salon is."""

    yclients_record_id: int
    company_id: int = UNSET
    phone: str
    """In E.164, as `Phone` makes it."""
    notification_type: str
    notification_date: dt.date
    message: str | None = UNSET
    sent_at: dt.datetime = UNSET
    status: Literal["pending", "sent", "failed"] = UNSET
    error_message: str | None = UNSET
    created_at: dt.datetime = UNSET
    id: int = UNSET
