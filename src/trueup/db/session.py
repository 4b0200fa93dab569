"""Which statements change a session beyond their transaction, so that nobody inherits what somebody else has set."""

import re
from typing import Any, Self

import psycopg
from psycopg.sql import Composable

CHANGING = re.compile(
    r"""
    (?:^|;|\*/)\s*(?:
        set\s+(?!local\b|transaction\b|constraints\b)
        | reset\b | listen\b | load\b | prepare\s+(?!transaction\b) | do\b | call\b
        | declare\b.*\bwith\s+hold\b
    )
    | \bset_config\s*\((?![^()]*,\s*true\s*\))
    | \bpg_(?:try_)?advisory_lock
    | \b(?:create|into)\s+(?:(?:local|global)\s+)?temp(?:orary)?\b(?!.*\bon\s+commit\s+drop\b)
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
"""What a function does inside can't be seen: `do` and `call` count as changes, a `select f()` does not."""

REMEMBERED = 4096
HARMLESS: set[str | bytes] = set()


def is_changing(text: str | bytes) -> bool:
    """Return whether a statement may change the session beyond its transaction."""
    if text in HARMLESS:
        return False
    if CHANGING.search(text if isinstance(text, str) else text.decode(errors="replace")):
        return True
    if len(HARMLESS) < REMEMBERED:
        HARMLESS.add(text)
    return False


class WatchingCursor(psycopg.Cursor[tuple[Any, ...]]):
    """Is a cursor that tells its connection when a statement changes the session."""

    def execute(
        self, query: Any, params: Any = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> Self:
        """Run a statement."""
        text = query.as_bytes(self.connection) if isinstance(query, Composable) else query
        if isinstance(text, str | bytes) and is_changing(text):
            self.connection.is_altered = True  # type: ignore[attr-defined]
        return super().execute(text, params, prepare=prepare, binary=binary)
