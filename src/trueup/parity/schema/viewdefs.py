"""The query of a view as PostgreSQL 16 and later print it, from what 14 and 15 print. Does no I/O.

They name the table of every column, the later ones only where there is more than one to choose from, and in subqueries.

Source: PostgreSQL, src/backend/utils/adt/ruleutils.c, `varprefix`.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

TOKEN = re.compile(
    r"""(?P<literal>[EB]?'(?:[^']|'')*') | (?P<name>"(?:[^"]|"")*"|[^\W\d][\w$]*) | (?P<open>\() | (?P<close>\))
        | (?P<rest>\s+|.)""",
    re.VERBOSE | re.DOTALL,
)
SUBQUERY = re.compile(r"\(\s*(?:SELECT|WITH|VALUES)\b")
ENDS_FROM = frozenset({"WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR"})
COMBINES = frozenset({"UNION", "INTERSECT", "EXCEPT"})
BEFORE_ALIAS = frozenset({"ONLY", "LATERAL", "WITH", "ORDINALITY"})


class Token(NamedTuple):
    """Is a piece of a query."""

    kind: str
    text: str
    depth: int
    """In how many parentheses it stands."""
    is_inner: bool
    """Whether it belongs to a subquery."""


def unqualified(definition: str) -> str:
    """Return the query without the table's name before columns, where there is one table only."""
    tokens = list(_tokens(definition))
    table = _only_table([token for token in tokens if not token.depth and token.text.strip()])
    return definition if table is None else "".join(_without(table, tokens))


def _tokens(text: str) -> Iterator[Token]:
    inner: list[bool] = []
    for found in TOKEN.finditer(text):
        kind = str(found.lastgroup)
        if kind == "open":
            inner.append(any(inner) or SUBQUERY.match(text, found.start()) is not None)
        yield Token(kind, found[0], len(inner), any(inner))
        if kind == "close":
            inner.pop()


def _only_table(tokens: Sequence[Token]) -> str | None:
    """Return what the one table of a query is called in it, from the tokens outside of parentheses."""
    words = [token.text for token in tokens]
    if "FROM" not in words or COMBINES & set(words):
        return None
    start = words.index("FROM") + 1
    end = next((n for n, word in enumerate(words) if n > start and word in ENDS_FROM), len(words))
    return _alias([token for token in tokens[start:end] if token.text not in BEFORE_ALIAS])


def _alias(item: Sequence[Token]) -> str | None:
    """Return the name that columns have before them: the alias, else the last part of the table's own name."""
    words = list(takewhile(lambda word: word != "TABLESAMPLE", (token.text for token in item)))
    names = [word for word in words if word not in {".", ";"}]
    return None if {",", "ROWS"} & set(words) or not names else names[-1]


def _is_source(before: str, token: Token) -> bool:
    """Say whether it is where rows come from: `EXTRACT(year FROM …)` stands in parentheses."""
    return before in {"FROM", "ONLY"} and not token.depth


def _without(table: str, tokens: Sequence[Token]) -> Iterator[str]:
    """Yield the tokens without the table and its dot; types and tables of a schema of that name keep it."""
    texts = ["", *(token.text for token in tokens), "", "", ""]
    before, is_dot = "", False
    for number, token in enumerate(tokens, start=1):
        dot, column, behind = texts[number + 1 : number + 4]
        is_column = dot == "." and column not in {"", "*"} and behind != "(" and before not in {".", ":"}
        if is_dot:
            is_dot = False
        elif is_column and token.text == table and not (token.is_inner or _is_source(before, token)):
            is_dot = True
        else:
            yield token.text
        before = token.text.strip() or before
