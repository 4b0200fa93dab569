"""Notifications: what was sent about bookings."""

from ai_admin.notifications.model import Notification
from ai_admin.notifications.repository import Notifications

__all__ = ["Notification", "Notifications"]
