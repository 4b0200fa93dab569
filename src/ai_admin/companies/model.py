"""A salon."""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated

from ai_admin.columns import Json
from trueup.tables import UNSET, Sql

Degrees = Annotated[Decimal, Sql("numeric(10,7)")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Is one salon, by the id that YClients gave it; every other table calls that id `company_id` as well."""

    company_id: int
    title: str
    address: str | None = UNSET
    phone: str | None = UNSET
    """As the salon shows it: it may be several numbers."""
    email: str | None = UNSET
    website: str | None = UNSET
    timezone: str = UNSET
    """By its name in the IANA database."""
    working_hours: Json | None = UNSET
    coordinate_lat: Degrees | None = UNSET
    coordinate_lon: Degrees | None = UNSET
    currency: str = UNSET
    ai_enabled: bool = UNSET
    sync_enabled: bool = UNSET
    last_sync_at: dt.datetime | None = UNSET
    raw_data: Json = UNSET
    whatsapp_enabled: bool = UNSET
    whatsapp_config: Json = UNSET
    whatsapp_connected: bool = UNSET
    whatsapp_phone: str | None = UNSET
    whatsapp_connected_at: dt.datetime | None = UNSET
    integration_status: str | None = UNSET
    connected_at: dt.datetime | None = UNSET
    marketplace_user_id: str | None = UNSET
    marketplace_user_name: str | None = UNSET
    marketplace_user_phone: str | None = UNSET
    marketplace_user_email: str | None = UNSET
    whatsapp_session_data: Json | None = field(default=UNSET, repr=False)
    api_key: str | None = field(default=UNSET, repr=False)
    webhook_secret: str | None = field(default=UNSET, repr=False)
    last_payment_date: dt.datetime | None = UNSET
    subscription_expires_at: dt.datetime | None = UNSET
    whatsapp_channel_enabled: bool = UNSET
    sms_channel_enabled: bool = UNSET
    sms_short_names: list[str] = UNSET
    disconnected_at: dt.datetime | None = UNSET
    status: str | None = UNSET
    telegram_enabled: bool = UNSET
    telegram_premium_until: dt.datetime | None = UNSET
    created_at: dt.datetime = UNSET
    updated_at: dt.datetime = UNSET
    id: int = UNSET
    """Ours; nothing refers to it."""
