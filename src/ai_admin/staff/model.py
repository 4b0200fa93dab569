"""Somebody who works at a salon."""

import datetime as dt
from dataclasses import dataclass

from ai_admin.columns import Count, Json, Score
from trueup.tables import UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """Is one person of a salon's staff; `is_active` is false for the fired and the hidden."""

    yclients_id: int
    company_id: int = UNSET
    name: str
    specialization: str | None = UNSET
    position: str | None = UNSET
    is_active: bool = UNSET
    is_bookable: bool = UNSET
    rating: Score | None = UNSET
    votes_count: Count = UNSET
    comments_count: Count = UNSET
    avatar_url: str | None = UNSET
    information: str | None = UNSET
    service_ids: list[int] = UNSET
    """External ids: what `Service.yclients_id` is."""
    email: str | None = UNSET
    phone: str | None = UNSET
    """In E.164, as `Phone` makes it."""
    telegram: str | None = UNSET
    experience_years: Count | None = UNSET
    level_name: str | None = UNSET
    last_sync_at: dt.datetime | None = UNSET
    raw_data: Json = UNSET
    declensions: Json | None = UNSET
    created_at: dt.datetime = UNSET
    updated_at: dt.datetime = UNSET
    id: int = UNSET
