"""What is stored of what YClients sends: payloads in, rows out, nothing in between."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

from ai_admin.bookings import VACANT, Booking, Status
from ai_admin.clients import Client
from ai_admin.companies import Company
from ai_admin.phones import Phone
from ai_admin.schedules import Schedule
from ai_admin.services import Service
from ai_admin.staff import StaffMember
from ai_admin.sync.payloads import (
    ClientPayload,
    CompanyPayload,
    DayPayload,
    Item,
    P,
    RecordPayload,
    RecordServicePayload,
    Reject,
    ServicePayload,
    SlotPayload,
    StaffPayload,
)
from ai_admin.sync.values import END_OF_DAY, Unreadable, clock, day, degrees, moment, money, rating, text_of
from trueup.tables import UNSET

R = TypeVar("R")

NAMELESS = "Без имени"
LEVELS = (("VIP", 20, 50_000), ("Gold", 10, 20_000), ("Silver", 5, 8_000), ("Bronze", 2, 0))
"""A level, and from how many visits and how much money on."""
ATTENDANCE: Mapping[int, Status] = {1: "completed", -1: "no_show", 2: "confirmed"}


def make_rows(items: Iterable[Item[P]], make: Callable[[Item[P]], R]) -> tuple[list[R], list[Reject]]:
    """Return the rows of payloads, and those that none can be made of."""
    rows: list[R] = []
    rejects: list[Reject] = []
    for item in items:
        try:
            rows.append(make(item))
        except Unreadable as error:
            rejects.append(Reject(yclients_id=getattr(item.payload, "id", None), reason=str(error)))
    return rows, rejects


def company_row(item: Item[CompanyPayload]) -> Company:
    """Return a salon."""
    sent = item.payload
    zone = sent.timezone_name or (sent.timezone if sent.timezone and "/" in sent.timezone else None)
    return Company(
        company_id=sent.id,
        title=sent.title,
        address=text_of(sent.address),
        phone=text_of(sent.phone),
        email=text_of(sent.email),
        website=text_of(sent.site),
        timezone=zone or UNSET,
        working_hours=sent.schedule,
        coordinate_lat=degrees(sent.coordinate_lat, field="coordinate_lat"),
        coordinate_lon=degrees(sent.coordinate_lon, field="coordinate_lon"),
        currency=text_of(sent.currency_short_title) or UNSET,
        raw_data=item.raw,
    )


def service_row(item: Item[ServicePayload], categories: Mapping[int, str]) -> Service:
    """Return a service; a maximum of 0 stands for the minimum."""
    sent = item.payload
    length_s = sent.seance_length or sent.duration
    return Service(
        yclients_id=sent.id,
        title=sent.title,
        category_id=sent.category_id,
        category_title=categories.get(sent.category_id) if sent.category_id is not None else None,
        price_min=money(sent.price_min, field="price_min"),
        price_max=money(sent.price_max or sent.price_min, field="price_max"),
        discount=money(sent.discount, field="discount"),
        duration=length_s,
        seance_length=length_s,
        is_active=sent.active,
        is_bookable=UNSET if sent.bookable is None else sent.bookable,
        description=text_of(sent.comment),
        weight=sent.weight or 0,
        raw_data=item.raw,
    )


def staff_row(item: Item[StaffPayload]) -> StaffMember:
    """Return somebody of the staff; who was fired or is hidden is not active."""
    sent = item.payload
    position = sent.position.title if sent.position else None
    phone = Phone.parse(text_of(sent.phone))
    return StaffMember(
        yclients_id=sent.id,
        name=sent.name,
        specialization=text_of(sent.specialization) or position,
        position=position,
        is_active=not (sent.fired or sent.hidden),
        is_bookable=UNSET if sent.bookable is None else sent.bookable,
        rating=rating(sent.rating, field="rating"),
        votes_count=sent.votes_count or 0,
        comments_count=sent.comments_count or 0,
        avatar_url=sent.avatar or sent.avatar_big,
        information=sent.information or sent.comment,
        service_ids=sorted({link.service_id for link in sent.services_links}) if sent.services_links else UNSET,
        email=text_of(sent.email),
        phone=None if phone is None else str(phone),
        raw_data=item.raw,
    )


def client_row(item: Item[ClientPayload]) -> Client:
    """Return a client, without what YClients does not know of them: where they came from, what the assistant noted."""
    sent = item.payload
    visits = sent.visits_count if sent.visits_count is not None else sent.visits or 0
    spent = money(sent.sold_amount or sent.spent, field="spent")
    level = level_of(visits, spent)
    phone = Phone.parse(text_of(sent.phone))
    return Client(
        yclients_id=sent.id,
        name=text_of(sent.name) or text_of(sent.display_name) or NAMELESS,
        phone=None if phone is None else str(phone),
        raw_phone=text_of(sent.phone),
        email=cast("str | None", sent.email),
        notes=cast("str | None", sent.comment),
        discount=money(sent.discount, field="discount"),
        visit_count=visits,
        total_spent=spent,
        average_bill=money(spent / visits if visits > 0 else None, field="average_bill"),
        first_visit_date=day(sent.first_visit_date, field="first_visit_date"),
        last_visit_date=day(sent.last_visit_date, field="last_visit_date"),
        status=sent.status,
        blacklisted=sent.status == "blocked",
        loyalty_level=level,
        client_segment=level,
        preferences=sent.custom_fields or {},
    )


def level_of(visits: int, spent: Decimal) -> str:
    """Return how loyal a client is."""
    return next((level for level, least, money_ in LEVELS if visits >= least and spent >= money_), "New")


def schedule_rows(
    items: Sequence[Item[DayPayload]], member: StaffMember, first: dt.date, last: dt.date
) -> list[Schedule]:
    """Return a row for each day of a person from the first to the last: a day that was not sent is a day off.

    Raises:
        Unreadable: a date or a time is none.
    """
    sent = {day(item.payload.date, field="date"): item.payload for item in items}
    days = (first + dt.timedelta(days=number) for number in range((last - first).days + 1))
    return [schedule_row(sent.get(date), member, date) for date in days]


def schedule_row(sent: DayPayload | None, member: StaffMember, date: dt.date) -> Schedule:
    """Return one day; an end at midnight is no limit."""
    slots = sent.slots or [] if sent and sent.is_working else []
    ends = [slot.ends for slot in slots]
    return Schedule(
        yclients_staff_id=member.yclients_id,
        staff_name=member.name,
        date=date,
        is_working=bool(sent and sent.is_working),
        work_start=min((clock(slot.begins, field="slots.from") for slot in slots), default=None),
        work_end=None
        if END_OF_DAY.intersection(ends)
        else max((clock(end, field="slots.to") for end in ends), default=None),
        working_hours=[hours(slot) for slot in slots] or None,
    )


def hours(slot: SlotPayload) -> dict[str, str]:
    """Return a part of a day as it is stored."""
    return {"from": slot.begins, "to": slot.ends}


def with_slots(schedules: Iterable[Schedule], bookings: Iterable[Booking]) -> list[Schedule]:
    """Return days with whether there is time left on them: live bookings don't fill their hours."""
    taken: dict[tuple[int, dt.date], dt.timedelta] = {}
    for booking in bookings:
        if booking.status not in VACANT:
            place = (booking.staff_id, booking.date)
            taken[place] = taken.get(place, dt.timedelta()) + (booking.ends_at - booking.datetime)
    return [
        replace(each, has_booking_slots=each.has_room(taken.get((each.yclients_staff_id, each.date), dt.timedelta())))
        for each in schedules
    ]


def booking_row(item: Item[RecordPayload], zone: ZoneInfo, now: dt.datetime) -> Booking:
    """Return a booking.

    Raises:
        Unreadable: it has no time, or one that is none.
    """
    sent = item.payload
    services = sent.services or []
    begins = sent.datetime or sent.date
    if begins is None:
        raise Unreadable("datetime is missing")
    starts_at = moment(begins, zone, field="datetime" if sent.datetime else "date")
    length_s = sent.seance_length or sent.length or sum((each.seance_length or 0) * units(each) for each in services)
    phone = Phone.parse(text_of(sent.client.phone)) if sent.client else None
    attendance = sent.visit_attendance if sent.visit_attendance is not None else sent.attendance
    return Booking(
        yclients_record_id=sent.id,
        staff_id=sent.staff_id,
        staff_name=sent.staff.name if sent.staff else None,
        datetime=starts_at,
        duration=length_s,
        client_phone=None if phone is None else str(phone),
        client_name=text_of(sent.client.name) or text_of(sent.client.display_name) if sent.client else None,
        client_yclients_id=sent.client.id if sent.client else None,
        services=[each.title for each in services for _ in range(units(each))],
        service_ids=[each.id for each in services for _ in range(units(each))],
        cost=sum((cost_of(each) for each in services), Decimal(0)),
        prepaid=UNSET if isinstance(sent.prepaid, bool) else money(sent.prepaid, field="prepaid"),
        status=status_of(sent, starts_at + dt.timedelta(seconds=length_s), now),
        visit_attendance=attendance,
        comment=text_of(sent.comment),
        online=bool(sent.online),
        record_hash=sent.record_hash,
    )


def units(service: RecordServicePayload) -> int:
    """Return how often a service is part of a record."""
    return 1 if service.amount is None else max(service.amount, 0)


def cost_of(service: RecordServicePayload) -> Decimal:
    """Return what a service costs in a record, all its units together."""
    cost = money(service.cost, field="services.cost")
    return cost if service.cost_per_unit is not None else cost * units(service)


def status_of(sent: RecordPayload, ends_at: dt.datetime, now: dt.datetime) -> Status:
    """Return what became of a booking."""
    if sent.deleted:
        return "cancelled"
    if (found := ATTENDANCE.get(sent.attendance or 0)) is not None:
        return found
    return "past" if ends_at <= now else "active"
