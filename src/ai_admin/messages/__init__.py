"""Messages: what came in and went out."""

from ai_admin.messages.maintenance import drop_partitions, make_partitions
from ai_admin.messages.model import Direction, Message
from ai_admin.messages.repository import Messages

__all__ = ["Direction", "Message", "Messages", "drop_partitions", "make_partitions"]
