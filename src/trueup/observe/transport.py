"""The way of the SDK's envelopes into the outbox: events and transactions alone, nothing that could be attached."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sentry_sdk.transport import Transport

from trueup.observe.outbox import Outbox, Parcel

if TYPE_CHECKING:
    from sentry_sdk.envelope import Envelope

CATEGORIES = {"event": "error", "transaction": "transaction"}


class OutboxTransport(Transport):
    """Puts events into an outbox; the courier delivers them."""

    def __init__(self, options: dict[str, Any], outbox: Outbox, start_courier: Callable[[], None]) -> None:
        super().__init__(options)
        self.outbox = outbox
        self.start_courier = start_courier

    def capture_envelope(self, envelope: "Envelope") -> None:
        """Put the events of an envelope into the outbox; attachments, sessions and profiles are no events."""
        for item in envelope.items:
            category = CATEGORIES.get(item.type or "")
            if category is not None and envelope.headers.get("event_id"):
                self.outbox.put(Parcel(str(envelope.headers["event_id"]), category, item.get_bytes()))
                self.start_courier()
