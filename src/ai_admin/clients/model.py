"""A client of a salon."""

import datetime as dt
from dataclasses import dataclass

from ai_admin.columns import Count, Json, Money, Percent, Score
from trueup.tables import UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Is one person in the books of one salon; relatives may share a phone number."""

    yclients_id: int
    company_id: int = UNSET
    name: str
    phone: str | None = UNSET
    """In E.164, as `Phone` makes it; None where the salon has no number that is one."""
    raw_phone: str | None = UNSET
    """As the salon wrote it."""
    email: str | None = UNSET
    discount: Percent = UNSET
    branch_ids: list[int] = UNSET
    tags: list[str] = UNSET
    status: str | None = UNSET
    source: str = UNSET
    visit_count: Count = UNSET
    total_spent: Money = UNSET
    first_visit_date: dt.date | None = UNSET
    last_visit_date: dt.date | None = UNSET
    last_services: list[str] = UNSET
    visit_history: Json = UNSET
    preferences: Json = UNSET
    last_sync_at: dt.datetime | None = UNSET
    loyalty_level: str = UNSET
    client_segment: str = UNSET
    average_bill: Money = UNSET
    last_service_ids: list[int] = UNSET
    """External ids: what `Service.yclients_id` is."""
    favorite_staff_ids: list[int] = UNSET
    """External ids: what `StaffMember.yclients_id` is."""
    preferred_time_slots: list[str] = UNSET
    blacklisted: bool = UNSET
    notes: str | None = UNSET
    created_by_ai: bool = UNSET
    last_ai_interaction: dt.datetime | None = UNSET
    ai_context: Json = UNSET
    ai_messages_count: Count = UNSET
    ai_satisfaction_score: Score | None = UNSET
    services_amount: Money = UNSET
    goods_amount: Money = UNSET
    goods_purchases: Json = UNSET
    goods_count: Count = UNSET
    created_at: dt.datetime = UNSET
    updated_at: dt.datetime = UNSET
    id: int = UNSET
