"""The events that one salon's webhooks told of."""

import datetime as dt

from ai_admin.columns import OF_TEST_COMPANY
from ai_admin.webhooks.model import WebhookEvent
from trueup.tables import Repository, Table, lt


class WebhookEvents(Repository[WebhookEvent]):
    """Reads and writes events, each recognised by the id that YClients gave it."""

    table = Table(
        "public.webhook_events",
        WebhookEvent,
        primary_key=("id",),
        conflict_key=("event_id", "company_id"),
        tenant="company_id",
        insert_only=("event_type", "record_id", "payload", "processed_at", "created_at", "id"),
        marker=OF_TEST_COMPANY,
    )

    def receive(self, event: WebhookEvent) -> bool:
        """Store an event that is new, and return whether it was; of two at once, one gets True."""
        return self.upsert(event).status == "inserted"

    def is_known(self, event_id: str) -> bool:
        """Return whether an event was stored."""
        return self.exists(event_id=event_id)

    def mark_processed(self, event_id: str, *, now: dt.datetime) -> bool:
        """Note that an event was worked off, and return whether there was one that was not yet."""
        return bool(self.update({"processed_at": now}, event_id=event_id, processed_at=None))

    def pending(self, *, limit: int) -> list[WebhookEvent]:
        """Return the events that are still to be worked off, the oldest first."""
        return self.find_many(processed_at=None, order_by="created_at", limit=limit)

    def delete_processed_before(self, moment: dt.datetime) -> int:
        """Delete what was worked off before a moment, and return how many; what was not is never deleted."""
        return self.delete(processed_at=lt(moment))
