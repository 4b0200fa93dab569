"""WhatsApp sessions: the store that Baileys works with, its health, and the clean-up of what has expired."""
