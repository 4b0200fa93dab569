"""Takes over the data of one salon, entity by entity: what YClients has is what is stored afterwards."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from msgspec import Raw

from ai_admin.bookings import VACANT, Booking, Bookings
from ai_admin.clients import Clients
from ai_admin.companies import Companies
from ai_admin.roster import Row, replace_roster
from ai_admin.schedules import Schedule, Schedules
from ai_admin.services import Services
from ai_admin.staff import Staff, StaffMember
from ai_admin.sync import rows
from ai_admin.sync.api import YClients
from ai_admin.sync.errors import ApiUnreachable
from ai_admin.sync.payloads import (
    CategoryPayload,
    ClientPayload,
    CompanyPayload,
    DayPayload,
    Item,
    P,
    RecordPayload,
    Reject,
    ServicePayload,
    StaffPayload,
    decode,
)
from ai_admin.sync.runs import Account, Outcome, Recorder
from ai_admin.sync.settings import Reach
from ai_admin.sync.values import Unreadable
from ai_admin.zones import day_of, utc_now
from trueup.db import Database
from trueup.tables import Repository, between, lt, not_in

REACH = Reach()


class SalonSync:
    """Syncs one salon. Each method is one run; it raises what made the run fail, after that is recorded.

    An outcome whose run is `failed` without an exception has rejects: all the rest is stored.
    """

    def __init__(self, db: Database, api: YClients, company_id: int, *, reach: Reach = REACH) -> None:
        self.db = db
        self.api = api
        self.reach = reach
        self.company_id = company_id
        self.recorder = Recorder(db, company_id)
        self.companies = Companies(db)
        self.services = Services(db, company_id=company_id)
        self.staff = Staff(db, company_id=company_id)
        self.clients = Clients(db, company_id=company_id)
        self.schedules = Schedules(db, company_id=company_id)
        self.bookings = Bookings(db, company_id=company_id)

    def sync_all(self) -> list[Outcome]:
        """Sync everything, in the order in which one thing refers to another; the first failure ends it."""
        return list(self.runs())

    def runs(self) -> Iterator[Outcome]:
        """Do what `sync_all` does, and yield each outcome before the next run begins."""
        yield self.sync_company()
        yield self.sync_services()
        yield self.sync_staff()
        yield self.sync_clients()
        yield self.sync_schedules()
        yield self.sync_bookings()

    def sync_company(self) -> Outcome:
        """Sync the salon itself."""
        with self.recorder.running("company") as (account, outcomes):
            made = take(account, [self.api.company(self.company_id)], CompanyPayload, rows.company_row)
            foreign = [each.company_id for each in made if each.company_id != self.company_id]
            if foreign:
                raise ApiUnreachable(f"company {self.company_id} was asked for, and another one came")
            account.add(self.companies.bulk_upsert(made, mode="sync", partial=True), [self.company_id])
        return outcomes[0]

    def sync_services(self) -> Outcome:
        """Sync the price list; what is not on it any more is deactivated."""
        with self.recorder.running("services") as (account, outcomes):
            categories, nameless = decode(CategoryPayload, self.api.categories(self.company_id))
            titles = {item.payload.id: item.payload.title for item in categories}
            make = partial(rows.service_row, categories=titles)
            replace(account, self.services, self.api.services(self.company_id), ServicePayload, make)
            # After that: what its categories are called says nothing about whether the list of services is whole.
            account.rejects += [
                Reject(yclients_id=None, reason=f"of category {each.yclients_id}: {each.reason}") for each in nameless
            ]
        return outcomes[0]

    def sync_staff(self) -> Outcome:
        """Sync the staff; who is not on the list any more is deactivated."""
        with self.recorder.running("staff") as (account, outcomes):
            replace(account, self.staff, self.api.staff(self.company_id), StaffPayload, rows.staff_row)
        return outcomes[0]

    def sync_clients(self) -> Outcome:
        """Sync the clients, a page at a time, so that any number of them needs the memory of one page."""
        with self.recorder.running("clients") as (account, outcomes):
            for page in self.api.client_pages(self.company_id):
                made = take(account, page, ClientPayload, rows.client_row)
                written = self.clients.bulk_upsert(made, mode="sync", partial=True, on_duplicate="last")
                account.add(written, [each.yclients_id for each in made])
        return outcomes[0]

    def sync_schedules(self) -> Outcome:
        """Sync who works when, from today on; a day that YClients does not have is a day off."""
        with self.recorder.running("schedules") as (account, outcomes):
            first = self.today()
            last = first + dt.timedelta(days=self.reach.schedule_days - 1)
            made: list[Schedule] = []
            for member in self.staff.active():
                made += self.days_of(member, first, last, account)
            with self.db.transaction():
                self.write_days(made, first, last, account)
        return outcomes[0]

    def days_of(self, member: StaffMember, first: dt.date, last: dt.date, account: Account) -> list[Schedule]:
        """Return somebody's days; none, if what came can't be understood."""
        items, rejects = decode(DayPayload, self.api.schedule(self.company_id, member.yclients_id, first, last))
        account.fetched += len(items) + len(rejects)
        try:
            if not rejects:
                return rows.schedule_rows(items, member, first, last)
            reason = rejects[0].reason
        except Unreadable as error:
            reason = str(error)
        account.rejects.append(Reject(yclients_id=member.yclients_id, reason=reason))
        return []

    def write_days(self, made: Iterable[Schedule], first: dt.date, last: dt.date, account: Account) -> None:
        """Store days with whether there is time left on them."""
        with_time = rows.with_slots(made, self.bookings.on_days(first, last))
        written = self.schedules.bulk_upsert(with_time, mode="sync", partial=True)
        account.add(written, [each.yclients_staff_id for each in with_time])

    def sync_bookings(self) -> Outcome:
        """Sync the bookings around today; one that YClients does not have any more is cancelled."""
        with self.recorder.running("bookings") as (account, outcomes):
            today, zone = self.today(), self.companies.zone(self.company_id)
            first = today - dt.timedelta(days=self.reach.booking_days_back)
            last = today + dt.timedelta(days=self.reach.booking_days)
            pages = list(self.api.record_pages(self.company_id, first, last))
            make = partial(rows.booking_row, zone=zone, now=utc_now())
            made = [row for page in pages for row in take(account, page, RecordPayload, make)]
            known = {row.yclients_record_id for row in made} | {
                reject.yclients_id for reject in account.rejects if reject.yclients_id is not None
            }
            with self.db.transaction():
                written = self.bookings.bulk_upsert(made, mode="sync", partial=True, on_duplicate="last")
                account.add(written, [row.yclients_record_id for row in made])
                if not any(reject.yclients_id is None for reject in account.rejects):
                    account.updated += len(self.cancel_unknown(known, first, last, account.started_at))
                self.refresh_days(first, last)
        return outcomes[0]

    def cancel_unknown(self, known: set[int], first: dt.date, last: dt.date, before: dt.datetime) -> list[Booking]:
        """Cancel the bookings of days that are still to come about, and that YClients does not know any more.

        What was stored since `before` may be younger than the list.
        """
        conditions: dict[str, object] = {
            "date": between(first, last),
            "status": not_in([*VACANT, "completed", "past"]),
            "updated_at": lt(before),
        }
        if known:
            conditions["yclients_record_id"] = not_in(known)
        return self.bookings.update({"status": "cancelled"}, conditions)

    def refresh_days(self, first: dt.date, last: dt.date) -> None:
        """Note for stored days whether there is time left on them."""
        stored = self.schedules.on_days(first, last)
        changed = [
            new
            for new, old in zip(rows.with_slots(stored, self.bookings.on_days(first, last)), stored, strict=True)
            if new.has_booking_slots != old.has_booking_slots
        ]
        for each in changed:
            self.schedules.update({"has_booking_slots": each.has_booking_slots}, id=each.id)

    def today(self) -> dt.date:
        """Return which day it is where the salon is."""
        return day_of(utc_now(), self.companies.zone(self.company_id))


def take(account: Account, raws: list[Raw], kind: type[P], make: Callable[[Item[P]], rows.R]) -> list[rows.R]:
    """Return the rows of what was sent, and account for what none can be made of."""
    items, unreadable = decode(kind, raws)
    made, unfit = rows.make_rows(items, make)
    account.fetched += len(raws)
    account.rejects += [*unreadable, *unfit]
    return made


def replace(
    account: Account, repository: Repository[Row], raws: list[Raw], kind: type[P], make: Callable[[Item[P]], Row]
) -> None:
    """Store a whole list; deactivate what is not on it, if it could be read whole."""
    made = take(account, raws, kind, make)
    ids = [row.yclients_id for row in made]
    if account.rejects:
        account.add(repository.bulk_upsert(made, mode="sync", partial=True), ids)
        return
    replaced = replace_roster(repository, made, partial=True)
    account.add(replaced.written, ids)
    account.updated += len(replaced.deactivated)
