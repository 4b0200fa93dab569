"""Rows as tests need them: valid, boring, unlike each other; a test states what matters to it."""

import datetime as dt
import itertools
from typing import Any

from ai_admin.appointments import Appointment
from ai_admin.bookings import Booking
from ai_admin.clients import Client
from ai_admin.companies import Company
from ai_admin.dialogs import Dialog
from ai_admin.messages import Message
from ai_admin.notifications import Notification
from ai_admin.schedules import Schedule
from ai_admin.services import Service
from ai_admin.staff import StaffMember
from ai_admin.webhooks import WebhookEvent

COMPANY, OTHER = -7, -8
"""No salon has a negative id."""
NOON = dt.datetime(2031, 5, 12, 9, tzinfo=dt.UTC)
"""Twelve o'clock in Moscow, on a Monday."""
DAY = dt.date(2031, 5, 12)
HOUR = dt.timedelta(hours=1)

NUMBERS = itertools.count(1)
PHONE = "+70001230022"
"""Area code 000 is nobody's."""


def phone() -> str:
    return f"+7000{next(NUMBERS):07}"


def company(**given: Any) -> Company:
    return Company(**({"company_id": -next(NUMBERS) - 100, "title": "[TEST] Salon"} | given))


def client(**given: Any) -> Client:
    return Client(**({"yclients_id": next(NUMBERS), "name": "[TEST] Анна", "phone": phone()} | given))


def service(**given: Any) -> Service:
    return Service(**({"yclients_id": next(NUMBERS), "title": "[TEST] Стрижка"} | given))


def staff_member(**given: Any) -> StaffMember:
    return StaffMember(**({"yclients_id": next(NUMBERS), "name": "[TEST] Мастер"} | given))


def schedule(**given: Any) -> Schedule:
    hours = {"is_working": True, "work_start": dt.time(10), "work_end": dt.time(20), "has_booking_slots": True}
    return Schedule(**({"yclients_staff_id": 1, "date": DAY} | hours | given))


def booking(**given: Any) -> Booking:
    number = next(NUMBERS)
    return Booking(**({"yclients_record_id": number, "staff_id": number, "datetime": NOON, "duration": 3600} | given))


def dialog(**given: Any) -> Dialog:
    return Dialog(**({"user_id": f"test-{next(NUMBERS)}"} | given))


def message(**given: Any) -> Message:
    return Message(**({"phone": PHONE, "direction": "incoming", "content": "[TEST]"} | given))


def notification(**given: Any) -> Notification:
    kind = {"phone": PHONE, "notification_type": "day_before", "notification_date": DAY}
    return Notification(**({"yclients_record_id": next(NUMBERS)} | kind | given))


def appointment(**given: Any) -> Appointment:
    return Appointment(**({"yclients_record_id": next(NUMBERS), "appointment_datetime": NOON} | given))


def webhook_event(**given: Any) -> WebhookEvent:
    return WebhookEvent(**({"event_id": f"test-{next(NUMBERS)}", "event_type": "record", "payload": {}} | given))
