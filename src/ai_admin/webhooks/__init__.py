"""Webhooks: what YClients told of."""

from ai_admin.webhooks.model import WebhookEvent
from ai_admin.webhooks.repository import WebhookEvents

__all__ = ["WebhookEvent", "WebhookEvents"]
