"""An event of a salon's connection to the assistant, in the marketplace of YClients."""

import datetime as dt
from dataclasses import dataclass

from ai_admin.columns import Json
from trueup.tables import UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketplaceEvent:
    """Is one event of a salon, which may come before there is a company for it."""

    salon_id: int = UNSET
    """What `Company.company_id` is, or will be."""
    event_type: str
    event_data: Json | None = UNSET
    company_id: int | None = UNSET
    """Names the company once it is there."""
    created_at: dt.datetime = UNSET
    id: int = UNSET
