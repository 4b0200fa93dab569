"""Clients."""

from ai_admin.clients.model import Client
from ai_admin.clients.repository import Clients

__all__ = ["Client", "Clients"]
