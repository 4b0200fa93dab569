"""The marketplace's events of one salon."""

from ai_admin.marketplace.model import MarketplaceEvent
from trueup.tables import Follows, Repository, Table


class MarketplaceEvents(Repository[MarketplaceEvent]):
    """Reads and writes events; each is a new one."""

    table = Table(
        "public.marketplace_events",
        MarketplaceEvent,
        primary_key=("id",),
        tenant="salon_id",
        marker=Follows("public.companies", {"salon_id": "company_id"}),
    )

    def latest(self, event_type: str) -> MarketplaceEvent | None:
        """Return the salon's newest event of a kind."""
        return self.find_one(event_type=event_type, order_by=["-created_at", "-id"])

    def page(self, *, limit: int, after: MarketplaceEvent | None = None) -> list[MarketplaceEvent]:
        """Return the salon's events, the newest first."""
        return self.find_many(order_by=["-created_at", "-id"], limit=limit, after=after)
