"""The bookings of one salon."""

import datetime as dt
from collections.abc import Mapping
from functools import reduce
from operator import and_

from ai_admin.bookings.model import VACANT, Booking, Status
from ai_admin.columns import OF_TEST_COMPANY
from ai_admin.errors import BookingMissing
from ai_admin.phones import Phone
from trueup.tables import Repository, Table, between, gte, lt, not_in


class Bookings(Repository[Booking]):
    """Reads and writes bookings, each recognised by its record at YClients."""

    table = Table(
        "public.bookings",
        Booking,
        primary_key=("id",),
        conflict_key=("yclients_record_id", "company_id"),
        tenant="company_id",
        insert_only=("created_at", "created_by_bot"),
        touch="updated_at",
        marker=OF_TEST_COMPANY,
    )

    def by_record(self, yclients_record_id: int) -> Booking | None:
        """Return the booking of a record."""
        return self.find_one(yclients_record_id=yclients_record_id)

    def page(self, *, limit: int, after: Booking | None = None) -> list[Booking]:
        """Return the next bookings in the order of their time."""
        return self.find_many(order_by="datetime", limit=limit, after=after)

    def of_phone(
        self,
        phone: Phone,
        *,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        limit: int,
        after: Booking | None = None,
    ) -> list[Booking]:
        """Return a client's bookings from `since` to before `until`, whatever became of them, the latest first."""
        conditions: dict[str, object] = {"client_phone": phone}
        bounds = [bound(moment) for bound, moment in ((gte, since), (lt, until)) if moment is not None]
        if bounds:
            conditions["datetime"] = reduce(and_, bounds)
        return self.find_many(conditions, order_by="-datetime", limit=limit, after=after)

    def upcoming(self, phone: Phone, *, now: dt.datetime, limit: int) -> list[Booking]:
        """Return a client's live bookings that begin now or later, the next one first."""
        return self.find_many(
            client_phone=phone, datetime=gte(now), status=not_in(VACANT), order_by="datetime", limit=limit
        )

    def upcoming_of_client(self, client_yclients_id: int, *, now: dt.datetime, limit: int) -> list[Booking]:
        """Return the live bookings of a client by their id at YClients, in the order of `upcoming`."""
        return self.find_many(
            client_yclients_id=client_yclients_id,
            datetime=gte(now),
            status=not_in(VACANT),
            order_by="datetime",
            limit=limit,
        )

    def on_days(
        self, first: dt.date, last: dt.date, *, status: Status | None = None, staff_id: int | None = None
    ) -> list[Booking]:
        """Return the bookings of the salon's days from the first to the last, both included, in the order of time."""
        conditions: dict[str, object] = {"date": between(first, last)}
        if status is not None:
            conditions["status"] = status
        if staff_id is not None:
            conditions["staff_id"] = staff_id
        return self.find_many(conditions, order_by="datetime")

    def change(self, yclients_record_id: int, changes: Mapping[str, object]) -> Booking:
        """Change columns of a booking and return it as it is stored.

        Raises:
            BookingMissing: there is no such record.
        """
        changed = self.update(changes, yclients_record_id=yclients_record_id)
        if not changed:
            raise BookingMissing(f"there is no booking of record {yclients_record_id}")
        return changed[0]

    def set_status(self, yclients_record_id: int, status: Status) -> Booking:
        """Note what became of a booking.

        Raises:
            BookingMissing: there is no such record.
            CheckFailed: there is no such status.
        """
        return self.change(yclients_record_id, {"status": status})

    def delete_before(self, day: dt.date) -> int:
        """Delete the salon's bookings of the days before one, and return how many there were."""
        return self.delete(date=lt(day))
