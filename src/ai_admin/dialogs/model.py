"""Where the assistant's talk with somebody stands."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from ai_admin.columns import Count, Json
from trueup.tables import UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialog:
    """Is the context of one talk of one salon with one user."""

    user_id: str
    company_id: int = UNSET
    state: str = UNSET
    data: Json = UNSET
    messages: Json = UNSET
    last_command: str | None = UNSET
    client_id: int | None = UNSET
    """Ours: what `Client.id` is."""
    last_activity: dt.datetime = UNSET
    message_count: Count = UNSET
    last_booking_id: UUID | None = UNSET
    """Ours: what `Booking.id` is."""
    session_type: str = UNSET
    context_metadata: Json = UNSET
    created_at: dt.datetime = UNSET
    updated_at: dt.datetime = UNSET
    id: UUID = UNSET
