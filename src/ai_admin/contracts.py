"""Every table contract of the salon, for `trueup contracts`."""

from typing import Any, Final

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
from ai_admin.sync import SyncRuns
from ai_admin.webhooks import WebhookEvents
from trueup.tables import Table

CONTRACTS: Final[tuple[Table[Any], ...]] = (
    Companies.table,
    Clients.table,
    Services.table,
    Staff.table,
    Schedules.table,
    Bookings.table,
    Dialogs.table,
    Messages.table,
    Notifications.table,
    Appointments.table,
    WebhookEvents.table,
    MarketplaceEvents.table,
    CREDENTIALS,
    KEYS,
    SyncRuns.table,
)
