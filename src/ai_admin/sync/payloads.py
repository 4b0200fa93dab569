"""What YClients sends, decoded with the quirks of its API: see each type for what is meant and what is seen.

Numbers come as numbers or as texts, nothing comes as null, "" or [], an object without fields comes as []. What can't
be decoded is a reject, with the place and the reason and without the value; it is never left out in silence.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, UnsetType


class Payload(msgspec.Struct, kw_only=True, frozen=True):
    """Is one object of the API; fields that are not declared are passed over.

    A field that may be UNSET tells "nothing" from "not sent", in an object that is no part of another one.
    """


class Named(Payload, kw_only=True, frozen=True):
    """Is something that has an id and a name or a title."""

    id: int | None = None
    name: str | None = None
    title: str | None = None


class CompanyPayload(Payload, kw_only=True, frozen=True):
    """Is a salon; `timezone` may be the zone's name or its offset, `timezone_name` is the name where it is sent."""

    id: int
    title: str
    address: str | None = None
    phone: str | int | None = None
    email: str | None = None
    site: str | None = None
    timezone: str | None = None
    timezone_name: str | None = None
    schedule: Any = None
    coordinate_lat: Decimal | None = None
    coordinate_lon: Decimal | None = None
    currency_short_title: str | None = None


class CategoryPayload(Payload, kw_only=True, frozen=True):
    """Is a category of services."""

    id: int
    title: str


class ServicePayload(Payload, kw_only=True, frozen=True):
    """Is a service; its lengths are in seconds."""

    id: int
    title: str
    category_id: int | None = None
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    discount: Decimal | None = None
    comment: str | None = None
    weight: int | None = None
    active: bool = True
    bookable: bool | None = None
    duration: int | None = None
    seance_length: int | None = None


class LinkPayload(Payload, kw_only=True, frozen=True):
    """Is a service that somebody offers."""

    service_id: int


class StaffPayload(Payload, kw_only=True, frozen=True):
    """Is somebody of the staff; `information` is HTML, `position` an object or []."""

    id: int
    name: str
    specialization: str | None = None
    position: Named | None = None
    avatar: str | None = None
    avatar_big: str | None = None
    information: str | None = None
    comment: str | None = None
    rating: Decimal | None = None
    votes_count: int | None = None
    comments_count: int | None = None
    hidden: bool = False
    fired: bool = False
    bookable: bool | None = None
    phone: str | int | None = None
    email: str | None = None
    services_links: list[LinkPayload] | None = None


class ClientPayload(Payload, kw_only=True, frozen=True):
    """Is a client; `custom_fields` is an object or a list."""

    id: int
    name: str | None = None
    display_name: str | None = None
    phone: str | int | None = None
    email: str | UnsetType | None = UNSET
    comment: str | UnsetType | None = UNSET
    discount: Decimal | None = None
    visits_count: int | None = None
    visits: int | None = None
    sold_amount: Decimal | None = None
    spent: Decimal | None = None
    first_visit_date: str | None = None
    last_visit_date: str | None = None
    status: str | None = None
    custom_fields: Any = None


class SlotPayload(Payload, kw_only=True, frozen=True):
    """Is a part of a day, on the clock of the salon: `{"from": "10:00", "to": "14:30"}`."""

    begins: str = msgspec.field(name="from")
    ends: str = msgspec.field(name="to")


class DayPayload(Payload, kw_only=True, frozen=True):
    """Is one day of one person."""

    date: str
    is_working: bool
    slots: list[SlotPayload] | None = None


class RecordServicePayload(Payload, kw_only=True, frozen=True):
    """Is a service in a record; with `cost_per_unit`, `cost` is that of all its units."""

    id: int
    title: str = ""
    cost: Decimal | None = None
    cost_per_unit: Decimal | None = None
    amount: int | None = None
    seance_length: int | None = None


class RecordPayload(Payload, kw_only=True, frozen=True):
    """Is a booking: with no service and no client it is blocked time; `datetime` is the truth, `date` has no offset."""

    id: int
    staff_id: int
    staff: Named | None = None
    services: list[RecordServicePayload] | None = None
    client: ClientPayload | None = None
    date: str | None = None
    datetime: str | None = None
    seance_length: int | None = None
    length: int | None = None
    attendance: int | None = None
    visit_attendance: int | None = None
    comment: str | None = None
    online: bool | None = None
    prepaid: Decimal | bool | None = None
    record_hash: str | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Is what was not stored, and why."""

    yclients_id: int | None
    """None: not even that could be read."""
    reason: str
    """Holds no value."""


P = TypeVar("P", bound=Payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Generic[P]):
    """Is one object: what is understood of it, and all that was sent."""

    payload: P
    raw: Any


def decode(kind: type[P], items: Iterable[bytes | msgspec.Raw]) -> tuple[list[Item[P]], list[Reject]]:
    """Return the objects of a list, and those that can't be understood."""
    decoded: list[Item[P]] = []
    rejects: list[Reject] = []
    for item in items:
        exact = EXACT.decode(item)
        try:
            payload = msgspec.convert(cleaned(kind, exact), kind, strict=False)
        except msgspec.ValidationError as error:
            rejects.append(Reject(yclients_id=id_of(exact), reason=str(error)))
        else:
            decoded.append(Item(payload=payload, raw=msgspec.json.decode(item)))
    return decoded, rejects


EXACT: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)


def cleaned(kind: type[Payload], value: Any) -> Any:
    """Return an object without what stands for nothing, down to the objects in it."""
    if not isinstance(value, dict):
        return value
    kept = telling(kind)
    return {name: each for name, found in value.items() if (each := meant(found)) is not None or name in kept}


@cache
def telling(kind: type[Payload]) -> frozenset[str]:
    """Return the fields in which nothing is something else than a field that was not sent."""
    return frozenset(field.name for field in msgspec.structs.fields(kind) if field.default is UNSET)


def meant(value: Any) -> Any:
    """Return what a value means: "" and [] are nothing, a list is what its items mean."""
    if isinstance(value, str | list) and not value:
        return None
    if isinstance(value, list):
        return [meant(item) if isinstance(item, dict | list) else item for item in value]
    return cleaned(Payload, value) if isinstance(value, dict) else value


def id_of(value: Any) -> int | None:
    """Return the id of an object that could not be understood, if it has one."""
    found = value.get("id") if isinstance(value, dict) else None
    if isinstance(found, str) and found.isascii() and found.isdigit():
        return int(found)
    return found if type(found) is int else None
