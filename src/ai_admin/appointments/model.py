"""A booking as a webhook told of it, kept beside the bookings of the sync."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

from ai_admin.columns import Json, Money
from ai_admin.phones import Phone
from trueup.tables import UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """Is one record of YClients; `is_cancelled` and `status` never contradict each other."""

    yclients_record_id: int
    company_id: int = UNSET
    client_id: int | None = UNSET
    """External, as all ids here are."""
    client_phone: str | None = UNSET
    """In E.164, as `Phone` makes it."""
    service_id: int | None = UNSET
    staff_id: int | None = UNSET
    appointment_datetime: dt.datetime | None = UNSET
    cost: Money = UNSET
    status: str = UNSET
    is_cancelled: bool = UNSET
    deleted: bool = UNSET
    cancellation_reason: str | None = UNSET
    raw_data: Json = UNSET
    created_at: dt.datetime = UNSET
    updated_at: dt.datetime = UNSET
    id: int = UNSET


def with_phone(appointment: Appointment) -> Appointment:
    """Return the appointment with the phone of its raw data, if it has none of its own and that is a number."""
    if appointment.client_phone is not UNSET:
        return appointment
    phone = Phone.parse(phone_in(appointment.raw_data))
    return replace(appointment, client_phone=str(phone)) if phone else appointment


def phone_in(raw_data: Any) -> str | None:
    """Return `client.phone` of a record; the API gives an empty list where there is no client."""
    client = raw_data.get("client") if isinstance(raw_data, dict) else None
    phone = client.get("phone") if isinstance(client, dict) else None
    return phone if isinstance(phone, str) else None
