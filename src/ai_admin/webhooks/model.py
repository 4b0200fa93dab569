"""An event that YClients told of."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from ai_admin.columns import Json
from trueup.tables import UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent:
    """Is one call of a webhook; the same event may be told of several times."""

    event_id: str
    event_type: str
    company_id: int = UNSET
    record_id: int | None = UNSET
    payload: Json
    processed_at: dt.datetime | None = UNSET
    created_at: dt.datetime = UNSET
    id: UUID = UNSET
