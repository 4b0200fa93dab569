"""One message that came in or went out."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from ai_admin.columns import Json
from trueup.tables import UNSET

Direction = Literal["incoming", "outgoing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Is one message of a salon; `created_at` says which month's partition it is in."""

    company_id: int = UNSET
    phone: str
    """In E.164, as `Phone` makes it."""
    direction: Direction
    content: str | None = UNSET
    message_type: str = UNSET
    status: Literal["received", "queued", "sent", "delivered", "read", "failed"] | None = UNSET
    metadata: Json = UNSET
    platform: str = UNSET
    created_at: dt.datetime = UNSET
    id: UUID = UNSET
