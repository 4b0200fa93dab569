"""A text of SQL as the statements it holds, cut where psql would cut it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

CONTINUATION = r"'[ \t\f\v]*[\n\r](?:[ \t\f\v\n\r]|--[^\n\r]*[\n\r])*'"

TOKEN = rf"""
      (?P<blank> [ \t\n\r\f\v]+ | --[^\n\r]* )
    | (?P<comment> /\* )
    | (?P<escaped> [eE]'(?: [^'\\]+ | \\(?:.|\Z) | '' | {CONTINUATION} )* (?: ' | \Z ) )
    | (?P<string> '[^']*(?: ' | \Z ) )
    | (?P<quoted> "[^"]*(?: " | \Z ) )
    | (?P<dollar> \$(?: [A-Za-z_\u0080-\U0010ffff][A-Za-z_0-9\u0080-\U0010ffff]* )?\$ )
    | (?P<word> [A-Za-z_\u0080-\U0010ffff][A-Za-z_0-9$\u0080-\U0010ffff]* )
    | (?P<mark> [;()] )
    | (?P<other> [0-9]+ | . )
    """

COMMENT_EDGE = re.compile(r"/\*|\*/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Is one statement with the blanks and comments before it and the semicolon after it."""

    text: str
    offset: int
    """Where `text` begins, in characters from the start of the text that was split."""
    start: int
    """Where its first word stands, in the same count."""
    words: tuple[str, ...]
    """Its unquoted words outside parentheses, in lower case."""
    is_blank: bool
    """It holds blanks, comments and semicolons alone."""


def split(text: str) -> tuple[Statement, ...]:
    """Return the statements of `text`; joined, they are `text` again.

    A semicolon inside quotes, dollar quotes, comments, parentheses or the body of a SQL-standard function
    (`begin atomic … end`) ends nothing. What is left open at the end belongs to the last statement.

    Source: PostgreSQL's psqlscan.l.
    """
    found: list[Statement] = []
    begun, start, words, parentheses, bodies = 0, -1, list[str](), 0, 0
    for kind, piece, position in tokens(text):
        if kind in {"blank", "comment"}:
            continue
        is_end = piece == ";" and not parentheses and not bodies
        if start < 0 and not is_end:
            start = position
        if kind == "mark":
            parentheses = max(0, parentheses + {"(": 1, ")": -1, ";": 0}[piece])
        elif kind == "word" and not parentheses:
            words.append(piece.lower())
            bodies = count_open_bodies(words, bodies)
        if is_end:
            found.append(make_statement(text, begun, position + 1, start, words))
            begun, start, words = position + 1, -1, []
    if begun < len(text):
        found.append(make_statement(text, begun, len(text), start, words))
    return tuple(found)


def make_statement(text: str, begun: int, end: int, start: int, words: list[str]) -> Statement:
    """Return the statement between two places of `text`."""
    is_blank = start < 0
    return Statement(
        text=text[begun:end],
        offset=begun,
        start=begun if is_blank else start,
        words=tuple(words),
        is_blank=is_blank,
    )


@cache
def token() -> re.Pattern[str]:
    """Return what a token is; compiled when it is first needed, since that takes 10 ms."""
    return re.compile(TOKEN, re.VERBOSE | re.DOTALL)


def tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield kind, text and place of each token; nothing of `text` is left out."""
    position, match = 0, token().match
    while found := match(text, position):
        kind, end = str(found.lastgroup), found.end()
        if kind == "comment":
            end = find_comment_end(text, end)
        elif kind == "dollar":
            closing = text.find(found.group(), end)
            end = len(text) if closing < 0 else closing + len(found.group())
        yield kind, text[position:end], position
        position = end


def find_comment_end(text: str, position: int) -> int:
    """Return where the comment that was opened before `position` ends; comments nest."""
    depth = 1
    for edge in COMMENT_EDGE.finditer(text, position):
        depth += 1 if edge.group() == "/*" else -1
        if not depth:
            return edge.end()
    return len(text)


def count_open_bodies(words: list[str], bodies: int) -> int:
    """Return how many `begin atomic` and `case` are open after the last word; only a routine's body has any."""
    if words[:1] != ["create"] or not {"function", "procedure"} & set(words[1:4]):
        return 0
    if words[-2:] == ["begin", "atomic"] or (words[-1] == "case" and bodies):
        return bodies + 1
    return max(0, bodies - 1) if words[-1] == "end" else bodies
