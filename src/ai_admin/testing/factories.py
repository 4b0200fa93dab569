"""How the rows of every table are made: valid and boring, with a trait for each situation that has a name.

A row needs a company, which is made with it and is new, unless one is given: `make.booking(company=salon)`. Runs of the
sync have no factory here, for that layer doesn't know this one: theirs comes from the contract, as `make.sync_run()`.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from factory.declarations import LazyAttribute, Trait

from ai_admin.appointments import Appointments
from ai_admin.bookings import Bookings
from ai_admin.clients import Clients
from ai_admin.companies import Companies
from ai_admin.dialogs import Dialogs
from ai_admin.marketplace import MarketplaceEvents
from ai_admin.messages import Messages
from ai_admin.notifications import Notifications
from ai_admin.schedules import Schedules
from ai_admin.services import Services
from ai_admin.sessions import CREDENTIALS, KEYS
from ai_admin.staff import Staff
from ai_admin.testing import identities
from ai_admin.webhooks import WebhookEvents
from trueup.testing import Unique, factory

DAY: Final = dt.date(2031, 5, 12)
"""A Monday."""
NOON: Final = dt.datetime(2031, 5, 12, 9, tzinfo=dt.UTC)
"""Twelve o'clock of that day in Moscow, where a salon is unless told otherwise."""
LONG_AGO: Final = dt.datetime(2021, 5, 12, 9, tzinfo=dt.UTC)


class Numbered(Unique):
    """Gives what a function makes of a number that the database gives to nothing else: `Numbered(str)`."""

    def __init__(self, of: Callable[[int], object]) -> None:
        super().__init__("{n}")
        self.of = of

    def evaluate(self, instance: Any, step: Any, extra: Any) -> Any:
        """Return the next value."""
        return self.of(int(super().evaluate(instance, step, extra)))


PHONE = Numbered(identities.phone)
EMAIL = Unique("{n}@example.test")

COMPANY = factory(
    Companies,
    company_id=Numbered(identities.company_id),
    title=Unique("[TEST] Salon {n}"),
    phone=PHONE,
    email=EMAIL,
    far_east=Trait(timezone="Asia/Vladivostok"),
    connected=Trait(whatsapp_enabled=True, whatsapp_connected=True, whatsapp_phone=PHONE, integration_status="active"),
)
CLIENT = factory(
    Clients,
    name="[TEST] Анна",
    phone=PHONE,
    raw_phone=LazyAttribute(lambda client: client.phone and client.phone.removeprefix("+")),
    email=EMAIL,
    without_phone=Trait(phone=None),
    regular=Trait(visit_count=12, total_spent=24_000, last_visit_date=LONG_AGO.date(), loyalty_level="Gold"),
)
SERVICE = factory(
    Services,
    title=Unique("[TEST] Стрижка {n}"),
    price_min=1500,
    price_max=2000,
    duration=3600,
    seance_length=3600,
    retired=Trait(is_active=False, is_bookable=False),
)
STAFF_MEMBER = factory(
    Staff,
    name="[TEST] Мастер",
    phone=PHONE,
    email=EMAIL,
    gone=Trait(is_active=False, is_bookable=False),
)
SCHEDULE = factory(
    Schedules,
    date=DAY,
    staff_name="[TEST] Мастер",
    is_working=True,
    work_start=dt.time(10),
    work_end=dt.time(20),
    has_booking_slots=True,
    day_off=Trait(is_working=False, work_start=None, work_end=None, has_booking_slots=False),
)
BOOKING = factory(
    Bookings,
    staff_id=Numbered(int),
    staff_name="[TEST] Мастер",
    datetime=NOON,
    duration=3600,
    client_phone=PHONE,
    client_name="[TEST] Анна",
    confirmed=Trait(status="confirmed"),
    cancelled=Trait(status="cancelled"),
    past=Trait(datetime=LONG_AGO, status="completed", visit_attendance=1),
    no_show=Trait(datetime=LONG_AGO, status="no_show", visit_attendance=-1),
    walk_in=Trait(client_phone=None, client_name=None),
    by_bot=Trait(created_by_bot=True),
)
DIALOG = factory(
    Dialogs,
    user_id=PHONE,
    under_way=Trait(
        state="BOOKING", messages=[{"role": "user", "content": "[TEST]"}], message_count=1, last_command="[TEST]"
    ),
)
MESSAGE = factory(
    Messages, phone=PHONE, content="[TEST]", status="received", outgoing=Trait(direction="outgoing", status="sent")
)
NOTIFICATION = factory(
    Notifications,
    phone=PHONE,
    notification_type="day_before",
    notification_date=DAY,
    message="[TEST]",
    pending=Trait(status="pending"),
    failed=Trait(status="failed", error_message="[TEST]"),
)
APPOINTMENT = factory(
    Appointments,
    client_phone=PHONE,
    appointment_datetime=NOON,
    cancelled=Trait(status="cancelled", is_cancelled=True, cancellation_reason="[TEST]"),
)
WEBHOOK_EVENT = factory(WebhookEvents, event_type="record.create", processed=Trait(processed_at=NOON))
MARKETPLACE_EVENT = factory(
    MarketplaceEvents,
    event_type="install",
    connected=Trait(company_id=LazyAttribute(lambda event: event.salon_id)),
)
CREDENTIALS_OF_SESSION = factory(CREDENTIALS, company_id=Numbered(lambda number: str(identities.company_id(number))))
SESSION_KEY = factory(KEYS, key_type="session", value=["0"], expired=Trait(key_type="device-list", expires_at=LONG_AGO))
