"""What a migration says of itself above its `-- migrate:up`: that nothing undoes it, and what it loses.

    -- trueup:irreversible the old texts are not kept
    -- trueup:loses public.clients.note nobody reads it
    -- trueup:loses public.drafts moved to another service

For dbmate these are comments. `trueup migrate verify` holds the file to them.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from trueup.errors import MigrationFailed

DECLARATION = re.compile(r"--[ \t]*trueup:(?P<word>\w+)(?:[ \t]+(?P<rest>.*))?")
LIKE_DECLARATION = re.compile(r"\s*--\s*trueup\s*:", re.IGNORECASE)
WORD = r'(?:"(?:[^"]|"")+"|[^\s."]+)'
OBJECT = re.compile(rf"(?P<object>{WORD}(?:\.{WORD}){{1,2}})(?:[ \t]+(?P<reason>\S.*))")
FORMS = "`-- trueup:irreversible REASON` or `-- trueup:loses SCHEMA.TABLE[.COLUMN] REASON`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """Is what a migration says of itself."""

    irreversible: str | None = None
    """Why nothing undoes it; None: its way down does."""
    losses: frozenset[str] = frozenset()
    """The tables and columns whose values it may lose on its way up or down: `public.clients.note`."""


def read_declarations(file: Path, preamble: str) -> Declarations:
    """Return what a file says of itself in the lines above its first block.

    Raises:
        MigrationFailed: a line looks like a declaration and is none, or says no reason.
    """
    irreversible, losses = None, set()
    for number, line in enumerate(preamble.splitlines(), start=1):
        if not LIKE_DECLARATION.match(line):
            continue
        found = DECLARATION.fullmatch(line.rstrip())
        word, rest = (found["word"], found["rest"]) if found else ("", None)
        lost = OBJECT.fullmatch(rest or "")
        if word == "irreversible" and rest:
            irreversible = rest
        elif word == "loses" and lost:
            losses.add(lost["object"])
        else:
            raise MigrationFailed(
                f"{file}:{number}: looks like a declaration but is none: write {FORMS}, with a reason"
            )
    return Declarations(irreversible=irreversible, losses=frozenset(losses))
