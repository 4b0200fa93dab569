"""All that the assistant asks of one salon's data, in one place."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from time import monotonic
from typing import ParamSpec, TypeVar

from ai_admin.bookings import Booking, Bookings, Status
from ai_admin.clients import Client, Clients
from ai_admin.companies import Companies, Company
from ai_admin.dialogs import Dialog, Dialogs
from ai_admin.phones import Phone, with_phone, with_phones
from ai_admin.reception import Booked, Reception
from ai_admin.roster import Replaced, replace_roster
from ai_admin.schedules import Schedule, Schedules
from ai_admin.services import Service, Services
from ai_admin.staff import Staff, StaffMember
from ai_admin.zones import day_of, utc_now
from trueup import observe
from trueup.db import Database
from trueup.tables import StatementRefused, Upserted, Written

COMPONENT = "data-layer"
PAGE_ROWS = 100

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Is how a database answered that is well."""

    latency_ms: float
    server_version: str


def reported(method: Callable[P, T]) -> Callable[P, T]:
    """Report what fails inside a method once, under its name."""

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        with observe.api_call(COMPONENT, method.__name__):
            return method(*args, **kwargs)

    return call


class DataLayer:
    """Reads and writes the data of one salon; it cannot reach those of another.

    None, or an empty list, says that there is no such thing; what failed is an exception. Phones may be given in any
    form that people write them in. Ids are those of YClients. `after` is the last row of the page before.

    Raises, from every method:
        DatabaseError: by its class, the database refused, was not reached, or was lost.
        StatementRefused: the call asks for what the contracts don't allow; nothing was sent.
    """

    def __init__(self, db: Database, company_id: int) -> None:
        self.db = db
        self.company_id = company_id
        self.companies = Companies(db)
        self.clients = Clients(db, company_id=company_id)
        self.services = Services(db, company_id=company_id)
        self.staff = Staff(db, company_id=company_id)
        self.schedules = Schedules(db, company_id=company_id)
        self.bookings = Bookings(db, company_id=company_id)
        self.dialogs = Dialogs(db, company_id=company_id)
        self.reception = Reception(db, company_id)

    def __repr__(self) -> str:
        return f"DataLayer(company {self.company_id}, {self.db!r})"

    # -- the salon -------------------------------------------------------------------------------------------------

    @reported
    def get_company(self) -> Company | None:
        """Return the salon."""
        return self.companies.by_id(self.company_id)

    @reported
    def update_company(self, changes: Mapping[str, object]) -> Company:
        """Change columns of the salon and return it as it is stored.

        Raises:
            CompanyMissing: it is not stored yet.
        """
        return self.companies.change(self.company_id, changes)

    @reported
    def upsert_company(self, company: Company) -> Upserted[Company]:
        """Store the salon."""
        if company.company_id != self.company_id:
            raise StatementRefused("public.companies: the data layer is bound to one company_id, the row has another")
        return self.companies.upsert(company)

    @reported
    def get_today(self, *, now: dt.datetime | None = None) -> dt.date:
        """Return which day it is where the salon is.

        Raises:
            CompanyMissing: it is not stored yet.
        """
        return day_of(now or utc_now(), self.companies.zone(self.company_id))

    # -- clients ---------------------------------------------------------------------------------------------------

    @reported
    def get_clients(self, *, limit: int = PAGE_ROWS, after: Client | None = None) -> list[Client]:
        """Return the next clients by their ids."""
        return self.clients.page(limit=limit, after=after)

    @reported
    def get_client(self, yclients_id: int) -> Client | None:
        """Return a client by their id."""
        return self.clients.by_id(yclients_id)

    @reported
    def get_client_by_phone(self, phone: str) -> Client | None:
        """Return a client by their phone; of several the one who came last.

        Raises:
            InvalidPhone: it is no number.
        """
        return self.clients.by_phone(Phone(phone))

    @reported
    def search_clients(self, name: str, *, limit: int = PAGE_ROWS, after: Client | None = None) -> list[Client]:
        """Return clients with `name` anywhere in their name, whatever the case: who came last first."""
        return self.clients.search(name, limit=limit, after=after)

    @reported
    def upsert_client(self, client: Client) -> Upserted[Client]:
        """Store a client.

        Raises:
            InvalidPhone: the phone is no number; None says that there is none.
        """
        return self.clients.upsert(with_phone(client, "phone"))

    @reported
    def upsert_clients(self, clients: Iterable[Client], *, partial: bool = False) -> Written:
        """Store any number of clients: all or none, or all but those that can't be, which come back with the reason."""
        return self.clients.bulk_upsert(with_phones(clients, "phone"), partial=partial, mode="sync")

    # -- services --------------------------------------------------------------------------------------------------

    @reported
    def get_services(self) -> list[Service]:
        """Return the services that are offered, the weightiest first, then by title."""
        return self.services.active()

    @reported
    def get_all_services(self) -> list[Service]:
        """Return the services, those no longer offered included, in the order of `get_services`."""
        return self.services.all()

    @reported
    def get_service(self, yclients_id: int) -> Service | None:
        """Return a service by its id."""
        return self.services.by_id(yclients_id)

    @reported
    def get_services_in_category(self, category_id: int) -> list[Service]:
        """Return the services of a category that are offered, in the order of `get_services`."""
        return self.services.in_category(category_id)

    @reported
    def upsert_service(self, service: Service) -> Upserted[Service]:
        """Store a service."""
        return self.services.upsert(service)

    @reported
    def upsert_services(self, services: Iterable[Service], *, partial: bool = False) -> Written:
        """Store any number of services, as `upsert_clients` does."""
        return self.services.bulk_upsert(services, partial=partial, mode="sync")

    @reported
    def replace_services(self, services: Sequence[Service], *, partial: bool = False) -> Replaced:
        """Store the whole price list, and deactivate what is not on it, in one transaction.

        Raises:
            EmptyList: there is none.
        """
        return replace_roster(self.services, services, partial=partial)

    # -- staff -----------------------------------------------------------------------------------------------------

    @reported
    def get_staff(self) -> list[StaffMember]:
        """Return who works there now, by name."""
        return self.staff.active()

    @reported
    def get_all_staff(self) -> list[StaffMember]:
        """Return everybody, those who have left included, by name."""
        return self.staff.all()

    @reported
    def get_staff_member(self, yclients_id: int) -> StaffMember | None:
        """Return a person by their id."""
        return self.staff.by_id(yclients_id)

    @reported
    def upsert_staff_member(self, member: StaffMember) -> Upserted[StaffMember]:
        """Store a person.

        Raises:
            InvalidPhone: the phone is no number.
        """
        return self.staff.upsert(with_phone(member, "phone"))

    @reported
    def upsert_staff(self, staff: Iterable[StaffMember], *, partial: bool = False) -> Written:
        """Store any number of people, as `upsert_clients` does."""
        return self.staff.bulk_upsert(with_phones(staff, "phone"), partial=partial, mode="sync")

    @reported
    def replace_staff(self, staff: Sequence[StaffMember], *, partial: bool = False) -> Replaced:
        """Store all who work there, and deactivate who is not among them, in one transaction.

        Raises:
            EmptyList: there is nobody.
        """
        return replace_roster(self.staff, with_phones(staff, "phone"), partial=partial)

    # -- schedules -------------------------------------------------------------------------------------------------

    @reported
    def get_schedule(self, staff_id: int, day: dt.date) -> Schedule | None:
        """Return a person's day, None when nothing is planned."""
        return self.schedules.on(staff_id, day)

    @reported
    def get_schedules(
        self,
        first: dt.date,
        last: dt.date,
        *,
        staff_ids: Iterable[int] | None = None,
        is_working: bool | None = None,
        limit: int | None = None,
        after: Schedule | None = None,
    ) -> list[Schedule]:
        """Return days from the first to the last, both included, by date and person; None stands for everybody."""
        return self.schedules.on_days(first, last, staff_ids=staff_ids, is_working=is_working, limit=limit, after=after)

    @reported
    def upsert_schedule(self, schedule: Schedule) -> Upserted[Schedule]:
        """Store a person's day."""
        return self.schedules.upsert(schedule)

    @reported
    def upsert_schedules(self, schedules: Iterable[Schedule], *, partial: bool = False) -> Written:
        """Store any number of days, as `upsert_clients` does."""
        return self.schedules.bulk_upsert(schedules, partial=partial, mode="sync")

    # -- bookings --------------------------------------------------------------------------------------------------

    @reported
    def get_bookings(self, *, limit: int = PAGE_ROWS, after: Booking | None = None) -> list[Booking]:
        """Return the next bookings by their time."""
        return self.bookings.page(limit=limit, after=after)

    @reported
    def get_booking(self, yclients_record_id: int) -> Booking | None:
        """Return the booking of a record."""
        return self.bookings.by_record(yclients_record_id)

    @reported
    def get_bookings_on_days(self, first: dt.date, last: dt.date, *, status: Status | None = None) -> list[Booking]:
        """Return the bookings of the salon's days from the first to the last, both included, by their time."""
        return self.bookings.on_days(first, last, status=status)

    @reported
    def get_appointments(
        self,
        phone: str,
        *,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        limit: int = PAGE_ROWS,
        after: Booking | None = None,
    ) -> list[Booking]:
        """Return a client's bookings from `since` to before `until`, whatever became of them, the latest first.

        Raises:
            InvalidPhone: it is no number.
        """
        return self.bookings.of_phone(Phone(phone), since=since, until=until, limit=limit, after=after)

    @reported
    def get_upcoming_appointments(
        self, phone: str, *, now: dt.datetime | None = None, limit: int = PAGE_ROWS
    ) -> list[Booking]:
        """Return a client's live bookings that begin now or later, the next one first.

        Raises:
            InvalidPhone: it is no number.
        """
        return self.bookings.upcoming(Phone(phone), now=now or utc_now(), limit=limit)

    @reported
    def upsert_booking(self, booking: Booking) -> Upserted[Booking]:
        """Store a booking.

        Raises:
            InvalidPhone: the phone is no number.
            ExclusionConflict: the person has another live booking at that time.
        """
        return self.bookings.upsert(with_phone(booking, "client_phone"))

    @reported
    def upsert_bookings(self, bookings: Iterable[Booking], *, partial: bool = False) -> Written:
        """Store any number of bookings, as `upsert_clients` does."""
        return self.bookings.bulk_upsert(with_phones(bookings, "client_phone"), partial=partial, mode="sync")

    @reported
    def set_booking_status(self, yclients_record_id: int, status: Status) -> Booking:
        """Note what became of a booking.

        Raises:
            BookingMissing: there is no such booking.
            CheckFailed: there is no such status.
        """
        return self.bookings.set_status(yclients_record_id, status)

    @reported
    def book(self, client: Client, booking: Booking) -> Booked:
        """Store a client together with a booking; see `Reception.book`."""
        return self.reception.book(with_phone(client, "phone"), booking)

    @reported
    def reschedule_booking(
        self, yclients_record_id: int, to: dt.datetime, *, staff_id: int | None = None, duration: int | None = None
    ) -> Booking:
        """Move a booking together with its slot in the schedule; see `Reception.reschedule`."""
        return self.reception.reschedule(yclients_record_id, to, staff_id=staff_id, duration=duration)

    @reported
    def cancel_booking(self, yclients_record_id: int) -> Booking:
        """Cancel a booking, and give its slot back; see `Reception.cancel`."""
        return self.reception.cancel(yclients_record_id)

    # -- dialogs ---------------------------------------------------------------------------------------------------

    @reported
    def get_dialog(self, user_id: str) -> Dialog | None:
        """Return the dialog with a user."""
        return self.dialogs.of_user(user_id)

    @reported
    def upsert_dialog(self, dialog: Dialog) -> Upserted[Dialog]:
        """Store a dialog."""
        return self.dialogs.upsert(dialog)

    @reported
    def save_messages(
        self, user_id: str, messages: Sequence[object], *, last_command: str | None = None
    ) -> Upserted[Dialog]:
        """Store what was said to a user, and the last command; the rest of the dialog stays as it is."""
        return self.dialogs.save_messages(user_id, messages, last_command=last_command, now=utc_now())

    # -- the database ----------------------------------------------------------------------------------------------

    @reported
    def check_health(self, *, timeout_s: float = 5.0) -> Health:
        """Return how fast the database answers.

        Raises:
            DatabaseError: it does not, or not in time.
        """
        started = monotonic()
        with self.db.transaction(read_only=True, statement_timeout_s=timeout_s) as transaction:
            row = transaction.execute("select current_setting('server_version')").fetchone()
        assert row is not None
        return Health(latency_ms=1000 * (monotonic() - started), server_version=str(row[0]))
