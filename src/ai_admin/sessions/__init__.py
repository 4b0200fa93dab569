"""WhatsApp sessions: the store that Baileys works with, its health, and the clean-up of what has expired."""

from ai_admin.sessions.cleanup import Cleanup, Selection, clean_up, plan_cleanup
from ai_admin.sessions.errors import MixedIds, StaleWrite
from ai_admin.sessions.health import (
    CompanyHealth,
    SessionFigures,
    SessionHealth,
    Thresholds,
    check_session_health,
    check_sessions,
)
from ai_admin.sessions.model import CREDENTIALS, DEFAULT_TTL, KEYS, KINDS, Kind, Retention, Worth
from ai_admin.sessions.store import Cleared, SessionStore
from ai_admin.sessions.values import canonical_hash

__all__ = [
    "CREDENTIALS",
    "DEFAULT_TTL",
    "KEYS",
    "KINDS",
    "Cleanup",
    "Cleared",
    "CompanyHealth",
    "Kind",
    "MixedIds",
    "Retention",
    "Selection",
    "SessionFigures",
    "SessionHealth",
    "SessionStore",
    "StaleWrite",
    "Thresholds",
    "Worth",
    "canonical_hash",
    "check_session_health",
    "check_sessions",
    "clean_up",
    "plan_cleanup",
]
