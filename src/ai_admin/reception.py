"""What is done at a salon's reception: use cases over several tables, each one transaction."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ai_admin.bookings import VACANT, Booking, Bookings
from ai_admin.clients import Client, Clients
from ai_admin.companies import Companies
from ai_admin.errors import BookingMissing, NotWorking
from ai_admin.schedules import Schedule, Schedules
from ai_admin.zones import day_of
from trueup.db import Database
from trueup.tables import Upserted, ne

LOCK_BOOKING = "select from bookings where company_id = %s and yclients_record_id = %s for update"
LOCK_DAYS = """
    select
    from staff_schedules
    where company_id = %s
      and (yclients_staff_id, date) in (select * from unnest(%s::bigint[], %s::date[]))
    order by date, yclients_staff_id
    for update
"""
OVER = (*VACANT, "completed", "past")

Day = tuple[int, dt.date]
"""Of one person: the id at YClients, and the date where the salon is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """Is a client with their booking, and what was done to each."""

    client: Upserted[Client]
    booking: Upserted[Booking]


class Reception:
    """Books, moves and cancels for one salon; a use case that lost a race is run again from its start.

    A person's day has slots for as long as the live bookings of the day don't fill its hours. Each use case keeps that
    with the booking: an observer sees both or neither.
    """

    def __init__(self, db: Database, company_id: int) -> None:
        self.db = db
        self.company_id = company_id
        self.companies = Companies(db)
        self.clients = Clients(db, company_id=company_id)
        self.bookings = Bookings(db, company_id=company_id)
        self.schedules = Schedules(db, company_id=company_id)

    def book(self, client: Client, booking: Booking) -> Booked:
        """Store a client together with a booking; the booking takes its client from the client.

        Raises:
            CompanyMissing: there is no such salon.
            ExclusionConflict: the person has a live booking at that time; the client was not stored either.
        """
        return self.db.run(lambda _: self.try_to_book(client, booking))

    def try_to_book(self, client: Client, booking: Booking) -> Booked:
        """Do what `book` promises once, in the transaction of the caller."""
        days = {self.day(booking)}
        if before := self.locked(booking.yclients_record_id):
            days.add((before.staff_id, before.date))
        self.lock(days)
        stored = self.clients.upsert(client)
        named = replace(
            booking,
            client_yclients_id=stored.row.yclients_id,
            client_phone=stored.row.phone,
            client_name=stored.row.name,
        )
        done = self.bookings.upsert(named)
        self.refresh(days)
        return Booked(client=stored, booking=done)

    def reschedule(
        self, yclients_record_id: int, to: dt.datetime, *, staff_id: int | None = None, duration: int | None = None
    ) -> Booking:
        """Move a booking to another time, and where wanted to another person or length in seconds; return it.

        Raises:
            CompanyMissing: there is no such salon.
            BookingMissing: there is no such booking, or it is over.
            NotWorking: the person's schedule doesn't cover the time.
            ExclusionConflict: the person has another live booking at that time.
        """
        return self.db.run(lambda _: self.try_to_reschedule(yclients_record_id, to, staff_id, duration))

    def try_to_reschedule(
        self, yclients_record_id: int, to: dt.datetime, staff_id: int | None, duration: int | None
    ) -> Booking:
        """Do what `reschedule` promises once, in the transaction of the caller."""
        before = self.locked(yclients_record_id)
        if before is None or before.status in OVER:
            raise BookingMissing(f"there is no booking of record {yclients_record_id} that is still to come about")
        after = replace(
            before,
            datetime=to,
            staff_id=before.staff_id if staff_id is None else staff_id,
            duration=before.duration if duration is None else duration,
        )
        days = {(before.staff_id, before.date), self.day(after)}
        self.lock(days)
        schedule = self.planned(after)
        changes: dict[str, object] = {"datetime": to, "duration": after.duration, "staff_id": after.staff_id}
        if after.staff_id != before.staff_id:
            changes["staff_name"] = schedule.staff_name
        moved = self.bookings.change(yclients_record_id, changes)
        self.refresh(days)
        return moved

    def cancel(self, yclients_record_id: int) -> Booking:
        """Cancel a booking, so that its time is free again, and return it.

        Raises:
            BookingMissing: there is no such booking.
        """
        return self.db.run(lambda _: self.try_to_cancel(yclients_record_id))

    def try_to_cancel(self, yclients_record_id: int) -> Booking:
        """Do what `cancel` promises once, in the transaction of the caller."""
        before = self.locked(yclients_record_id)
        if before is None:
            raise BookingMissing(f"there is no booking of record {yclients_record_id}")
        days = {(before.staff_id, before.date)}
        self.lock(days)
        cancelled = self.bookings.set_status(yclients_record_id, "cancelled")
        self.refresh(days)
        return cancelled

    # -- the parts of them -----------------------------------------------------------------------------------------

    def day(self, booking: Booking) -> Day:
        """Return whose day a booking is on."""
        return booking.staff_id, day_of(booking.datetime, self.companies.zone(self.company_id))

    def locked(self, yclients_record_id: int) -> Booking | None:
        """Return a booking that nobody else can change until the transaction ends; None if there is none."""
        with self.db.connection() as connection:
            connection.execute(LOCK_BOOKING, [self.company_id, yclients_record_id])
        return self.bookings.by_record(yclients_record_id)

    def lock(self, days: Iterable[Day]) -> None:
        """Keep others from booking on people's days until the transaction ends; always in the same order."""
        staff_ids, dates = zip(*sorted(days), strict=True)
        with self.db.connection() as connection:
            connection.execute(LOCK_DAYS, [self.company_id, list(staff_ids), list(dates)])

    def planned(self, booking: Booking) -> Schedule:
        """Return the schedule that a booking fits into.

        Raises:
            NotWorking: there is none.
        """
        zone = self.companies.zone(self.company_id)
        schedule = self.schedules.on(booking.staff_id, day_of(booking.datetime, zone))
        begins, ends = (each.astimezone(zone).replace(tzinfo=None) for each in (booking.datetime, booking.ends_at))
        if schedule is None or not schedule.covers(begins, ends):
            raise NotWorking(f"staff member {booking.staff_id} does not work from {begins} to {ends}")
        return schedule

    def refresh(self, days: Iterable[Day]) -> None:
        """Note for people's days whether there is time left, where their hours are known."""
        for staff_id, date in sorted(days):
            schedule = self.schedules.on(staff_id, date)
            if schedule is None or (schedule.is_working and not schedule.spans):
                continue
            live = [each for each in self.bookings.on_days(date, date, staff_id=staff_id) if each.status not in VACANT]
            has_slots = schedule.has_room(sum((each.ends_at - each.datetime for each in live), dt.timedelta()))
            self.schedules.update(
                {"has_booking_slots": has_slots},
                yclients_staff_id=staff_id,
                date=date,
                has_booking_slots=ne(has_slots),
            )
