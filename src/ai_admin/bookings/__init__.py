"""Bookings."""

from ai_admin.bookings.model import VACANT, Booking, Status
from ai_admin.bookings.repository import Bookings

__all__ = ["VACANT", "Booking", "Bookings", "Status"]
