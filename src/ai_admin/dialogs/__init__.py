"""Dialogs: where the assistant's talks stand."""

from ai_admin.dialogs.model import Dialog
from ai_admin.dialogs.repository import Dialogs

__all__ = ["Dialog", "Dialogs"]
