"""A service that a salon offers."""

import datetime as dt
from dataclasses import dataclass

from ai_admin.columns import Count, Json, Money, Percent, Seconds
from trueup.tables import UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Is one line of the salon's price list."""

    yclients_id: int
    company_id: int = UNSET
    title: str
    category_id: int | None = UNSET
    category_title: str | None = UNSET
    price_min: Money = UNSET
    price_max: Money = UNSET
    discount: Percent = UNSET
    duration: Seconds | None = UNSET
    seance_length: Seconds | None = UNSET
    is_active: bool = UNSET
    is_bookable: bool = UNSET
    description: str | None = UNSET
    weight: Count = UNSET
    last_sync_at: dt.datetime | None = UNSET
    raw_data: Json = UNSET
    image_url: str | None = UNSET
    declensions: Json | None = UNSET
    created_at: dt.datetime = UNSET
    updated_at: dt.datetime = UNSET
    id: int = UNSET
