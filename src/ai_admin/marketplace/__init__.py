"""Marketplace: how salons come and go."""

from ai_admin.marketplace.model import MarketplaceEvent
from ai_admin.marketplace.repository import MarketplaceEvents

__all__ = ["MarketplaceEvent", "MarketplaceEvents"]
