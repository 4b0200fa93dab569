"""Services."""

from ai_admin.services.model import Service
from ai_admin.services.repository import Services

__all__ = ["Service", "Services"]
