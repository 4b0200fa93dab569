"""When a key counts as expired: the one definition, which reading, health and clean-up share."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import sql

EXPIRED = sql.SQL("(k.key_type = any(%(expiring)s) and k.expires_at <= coalesce(%(as_of)s, now()))")
"""Of a row `k`. A key of a type that does not expire is never expired, whatever a writer of other times has noted."""


def expiry(expiring: Sequence[str], as_of: datetime | None = None) -> dict[str, Any]:
    """Return the parameters of EXPIRED: the types that expire, and the instant; None is now, by the server's clock."""
    return {"expiring": list(expiring), "as_of": as_of}
