"""When two expressions, as the server prints them, mean the same."""

import re
from collections.abc import Collection

from trueup.parity.schema.names import quote_ident

QUOTED = r"""(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*")"""
WORD = r"""(?:\w+|"(?:[^"]|"")*")"""
CAST = rf"::{WORD}(?:\.{WORD})?(?: varying| precision)?(?:\([\d, -]+\))?(?: with(?:out)? time zone)?(?:\[\])*"
NOW = re.compile(rf"{QUOTED}|(?<![\w.])(?:now|transaction_timestamp)\(\)")
CASTS = re.compile(rf"{QUOTED}|{CAST}|[()]")
LITERAL = re.compile(rf"(?P<literal>[EB]?'(?:[^']|'')*'|NULL)(?:{CAST})?")


ITEM = r"'(?:[^']|'')*'::character varying"
LIST = re.compile(rf"\(ARRAY\[({ITEM}(?:, {ITEM})*)\]\)::text\[\]")
ITEMS = re.compile(ITEM)


def normal(expression: str) -> str:
    """Return the expression with one spelling for what has several: now() is CURRENT_TIMESTAMP.

    A list of strings that a column of varchar is held against is cast as a whole, or, once it was dumped and restored,
    item by item.
    """
    return restored(NOW.sub(lambda found: found["quoted"] or "CURRENT_TIMESTAMP", expression))


def restored(expression: str) -> str:
    """Return the expression as it reads once it was dumped and restored."""
    expression = expression.replace("( VALUES", "(VALUES")
    return LIST.sub(lambda found: f"ARRAY[{ITEMS.sub(lambda item: f'({item[0]})::text', found[1])}]", expression)


def normal_default(expression: str | None, type_: str) -> str | None:
    """Return a default without the cast of its literal, which repeats the column's type.

    DEFAULT NULL is none, except where it hides the default of a domain: `type_` is qualified then.
    """
    if expression is None:
        return None
    literal = LITERAL.fullmatch(expression)
    if literal is None:
        return normal(expression)
    return None if literal["literal"] == "NULL" and "." not in type_ else literal["literal"]


def without_casts(expression: str) -> str:
    """Return the expression without casts and parentheses: what stays when only the types under it change."""
    return CASTS.sub(lambda found: found["quoted"] or "", normal(expression))


def retyped_form(expression: str, retyped: Collection[str]) -> str | None:
    """Return the expression without casts if it names a column whose type differs, so that its casts have to differ."""
    return without_casts(expression) if mentions(expression, retyped) else None


def mentions(expression: str, columns: Collection[str]) -> bool:
    """Return whether the expression names one of the columns."""
    return any(re.search(rf'(?<![\w"]){re.escape(quote_ident(name))}(?![\w"])', expression) for name in columns)
