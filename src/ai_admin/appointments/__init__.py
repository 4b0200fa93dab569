"""Appointments: bookings as webhooks told of them."""

from ai_admin.appointments.model import Appointment
from ai_admin.appointments.repository import Appointments

__all__ = ["Appointment", "Appointments"]
