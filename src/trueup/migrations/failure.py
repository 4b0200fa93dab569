"""What people are told about SQL that failed in a migration file."""

import re
from pathlib import Path

import psycopg

from trueup.migrations.files import Block

ADVICE = {
    "25001": "put transaction:false behind the block's directive",
    "55P04": "put what uses the new value into the next file",
    "55P03": "another session holds a lock on it: run it again when that one is done",
    "57014": "it took longer than statement_timeout allows, or was cancelled: run it again with more time",
    "40P01": "another session waited for it in turn: run it again",
    "42501": "run it as a role that may do this",
}
DEFAULT_ADVICE = "correct the file and run it again"

QUOTED = re.compile(r'"[^"]*"')
PASSWORD = re.compile(r"(\bpassword\s+)(E?'[^']*'?)", re.IGNORECASE)

WIDTH = 100


def describe_error(error: psycopg.Error) -> str:
    """Return the server's message, without values of rows, and the SQLSTATE.

    A data exception (class 22) quotes the value it stumbled over; a syntax error inside a function may quote SQL that
    was put together from values. What a file says itself by `raise` is shown as it is.
    """
    message = error.diag.message_primary or str(error).strip()
    state = error.sqlstate or "none"
    if state.startswith("22") or (state == "42601" and error.diag.internal_query):
        message = QUOTED.sub('"…"', message)
    return f"{message} (SQLSTATE {state})"


def describe_failure(file: Path, block: Block, error: psycopg.Error, *, offset: int, number: int, kept: str) -> str:
    """Return place, message, the failing statement's lines, what was kept, and what to do.

    `number` counts the block's statements from 0; the server names a position only for some errors.
    """
    position = int(error.diag.statement_position or 0)
    at = offset + position - 1 if position else None
    start = find_start(block, number, at)
    lines = [f"{file}:{block.line_of(start if at is None else at)}: {describe_error(error)}"]
    if at is None or block.line_of(at) != block.line_of(start):
        lines += quote_line(block, start)
    if at is not None:
        lines += quote_line(block, at, caret=True)
    if error.diag.message_hint:
        lines.append(f"Hint: {error.diag.message_hint}")
    lines.append(f"{kept}: {ADVICE.get(error.sqlstate or '', DEFAULT_ADVICE)}.")
    return "\n".join(lines)


def find_start(block: Block, number: int, at: int | None) -> int:
    """Return where the failing statement starts: the one around `at`, else by its number."""
    starts = [statement.start for statement in block.statements]
    if at is not None:
        return max((start for start in starts if start <= at), default=0)
    return starts[number] if number < len(starts) else 0


def quote_line(block: Block, at: int, *, caret: bool = False) -> list[str]:
    """Return the line around `at` with its number, cut to the width of a page, and a caret below if wanted."""
    begin = block.sql.rfind("\n", 0, at) + 1
    line = block.sql[begin:].split("\n", maxsplit=1)[0].rstrip("\r").replace("\t", " ")
    column = at - begin
    cut = max(0, column - WIDTH // 2) if len(line) > WIDTH else 0
    shown = PASSWORD.sub(r"\1'…'", line)
    prefix = f"  {block.line_of(at)} | "
    if shown != line:
        return [prefix + shown[:WIDTH]]
    return [prefix + line[cut : cut + WIDTH]] + ([" " * (len(prefix) + column - cut) + "^"] if caret else [])
