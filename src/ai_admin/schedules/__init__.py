"""Schedules: who works when."""

from ai_admin.schedules.model import Schedule
from ai_admin.schedules.repository import Schedules

__all__ = ["Schedule", "Schedules"]
