"""The cached appointments of one salon."""

import datetime as dt
from collections.abc import Mapping

from ai_admin.appointments.model import Appointment, with_phone
from ai_admin.columns import OF_TEST_COMPANY
from trueup.tables import Repository, Table, Upserted, gt

LIVE: Mapping[str, object] = {"deleted": False, "is_cancelled": False}


class Appointments(Repository[Appointment]):
    """Reads and writes appointments, each recognised by its record at YClients."""

    table = Table(
        "public.appointments_cache",
        Appointment,
        primary_key=("id",),
        conflict_key=("yclients_record_id", "company_id"),
        tenant="company_id",
        insert_only=("created_at",),
        touch="updated_at",
        marker=OF_TEST_COMPANY,
    )

    def store(self, appointment: Appointment) -> Upserted[Appointment]:
        """Insert or update an appointment; without a phone of its own it takes that of its raw data."""
        return self.upsert(with_phone(appointment))

    def by_record(self, yclients_record_id: int) -> Appointment | None:
        """Return the appointment of a record, deleted or not."""
        return self.find_one(yclients_record_id=yclients_record_id)

    def change(self, yclients_record_id: int, changes: Mapping[str, object]) -> Appointment | None:
        """Change columns of an appointment and return it as it is stored; None if there is none."""
        changed = self.update(changes, yclients_record_id=yclients_record_id)
        return changed[0] if changed else None

    def cancel(self, yclients_record_id: int, reason: str | None = None) -> Appointment | None:
        """Cancel an appointment and return it; None if there is none."""
        return self.change(
            yclients_record_id, {"status": "cancelled", "is_cancelled": True, "cancellation_reason": reason}
        )

    def mark_deleted(self, yclients_record_id: int) -> Appointment | None:
        """Note that a record was deleted at YClients; the row stays."""
        return self.change(yclients_record_id, {"deleted": True})

    def active(self, *, limit: int | None = None, after: Appointment | None = None) -> list[Appointment]:
        """Return what is neither deleted nor cancelled, in the order of time."""
        return self.find_many(LIVE, order_by="appointment_datetime", limit=limit, after=after)

    def upcoming(self, *, now: dt.datetime, limit: int | None = None) -> list[Appointment]:
        """Return what is neither deleted nor cancelled and begins after now, the next one first."""
        return self.find_many(LIVE, appointment_datetime=gt(now), order_by="appointment_datetime", limit=limit)
