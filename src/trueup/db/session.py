"""Which statements change a session beyond their transaction, so that nobody inherits what somebody else has set."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Self

import psycopg
from psycopg.sql import Composable

from trueup.errors import UsageError

CHANGING = re.compile(
    r"""
    (?:^|;|\*/)\s*(?:
        set\s+(?!local\b|transaction\b|constraints\b)
        | reset\b | listen\b | load\b | prepare\s+(?!transaction\b)
        | declare\b.*\bwith\s+hold\b
    )
    | \bset_config\s*\((?![^()]*,\s*true\s*\))
    | \bpg_(?:try_)?advisory_lock
    | \b(?:create|into)\s+(?:(?:local|global)\s+)?temp(?:orary)?\b(?!.*\bon\s+commit\s+drop\b)
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
OPAQUE = re.compile(r"(?:^|;|\*/)\s*(?:do|call)\b", re.IGNORECASE)
"""What a function does inside can't be seen: `do` and `call` may change a session, a `select f()` is trusted."""

REMEMBERED = 4096
HARMLESS: set[str | bytes] = set()


def is_changing(text: str | bytes) -> bool:
    """Return whether a statement may change the session beyond its transaction."""
    if text in HARMLESS:
        return False
    readable = text if isinstance(text, str) else text.decode(errors="replace")
    if CHANGING.search(readable) or OPAQUE.search(readable):
        return True
    if len(HARMLESS) < REMEMBERED:
        HARMLESS.add(text)
    return False


def refuse_change(text: str | bytes) -> None:
    """Raise UsageError for a statement that changes a session which belongs to every client of a pooler."""
    if CHANGING.search(text if isinstance(text, str) else text.decode(errors="replace")):
        raise UsageError(
            "the statement changes the session, which behind a pooler belongs to every client, so it was not sent: use"
            " what ends with its transaction (set local, set_config(…, true), pg_advisory_xact_lock,"
            " create temporary table … on commit drop) inside db.transaction()"
        )


class WatchingCursor(psycopg.Cursor[tuple[Any, ...]]):
    """Is a cursor that tells its connection when a statement changes the session."""

    def execute(
        self, query: Any, params: Any = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> Self:
        """Run a statement.

        Raises:
            UsageError: it changes the session, and a pooler gives that to the next client; nothing was sent.
        """
        return super().execute(self.watch(query), params, prepare=prepare, binary=binary)

    def executemany(self, query: Any, params_seq: Iterable[Any], *, returning: bool = False) -> None:
        """Run a statement for each of some parameters.

        Raises:
            UsageError: it changes the session, and a pooler gives that to the next client; nothing was sent.
        """
        super().executemany(self.watch(query), params_seq, returning=returning)

    def stream(
        self, query: Any, params: Any = None, *, binary: bool | None = None, size: int = 1
    ) -> Iterator[tuple[Any, ...]]:
        """Give the rows of a statement as they come.

        Raises:
            UsageError: it changes the session, and a pooler gives that to the next client; nothing was sent.
        """
        return super().stream(self.watch(query), params, binary=binary, size=size)

    def watch(self, query: Any) -> Any:
        """Return the text of a statement, its connection told if it changes the session."""
        text = query.as_bytes(self.connection) if isinstance(query, Composable) else query
        if isinstance(text, str | bytes) and is_changing(text):
            if self.connection.is_pooled:  # type: ignore[attr-defined]
                refuse_change(text)
            self.connection.is_altered = True  # type: ignore[attr-defined]
        return text
