"""The messages of one salon."""

import datetime as dt

from ai_admin.columns import OF_TEST_COMPANY
from ai_admin.messages.model import Message
from ai_admin.phones import Phone
from trueup.tables import Repository, Table, gte


class Messages(Repository[Message]):
    """Reads and writes messages."""

    table = Table(
        "public.messages", Message, primary_key=("id", "created_at"), tenant="company_id", marker=OF_TEST_COMPANY
    )

    def latest_incoming(self, phone: Phone, *, since: dt.datetime) -> Message | None:
        """Return the newest message from a number that came in at `since` or later."""
        return self.find_one(phone=phone, direction="incoming", created_at=gte(since), order_by="-created_at")

    def has_recent_activity(self, phone: Phone, *, minutes: float = 5, now: dt.datetime) -> bool:
        """Return whether a message from a number came in within the last minutes."""
        since = now - dt.timedelta(minutes=minutes)
        return self.exists(phone=phone, direction="incoming", created_at=gte(since))

    def of_phone(self, phone: Phone, *, limit: int, after: Message | None = None) -> list[Message]:
        """Return what was exchanged with a number, the newest first."""
        return self.find_many(phone=phone, order_by="-created_at", limit=limit, after=after)
