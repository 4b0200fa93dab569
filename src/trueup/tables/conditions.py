"""What a row must be like to be found: operators, and the conditions of one call.

A call's conditions have a shape (which columns, which operators) and values. The shape decides the SQL; equal shapes
share one statement.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from psycopg import sql

from trueup.tables.contract import UNSET, Column, Table
from trueup.tables.encoding import BadValue, encode_text
from trueup.tables.errors import InvalidValue, StatementRefused
from trueup.tables.sql_types import Family, SqlType, array_of, never

Parameters = list[bytes | None]
Shape = tuple[tuple[str, "Operator"], ...]


class Operator(StrEnum):
    """Is how a column is compared."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    LIKE = "like"
    ILIKE = "ilike"
    IN = "in_"
    NOT_IN = "not_in"
    IS_NULL = "is_null"
    IS_NOT_NULL = "is_not_null"
    BETWEEN = "between"
    ANY_OF = "any_of"
    CONTAINS = "contains"


@dataclass(frozen=True, slots=True)
class Condition:
    """Is one comparison of a column, or several joined by `&`."""

    operator: Operator
    value: Any = None
    others: "tuple[Condition, ...]" = ()

    def __and__(self, other: "Condition") -> "Condition":
        return Condition(self.operator, self.value, (*self.others, other))

    def __repr__(self) -> str:
        """Tell the operators, not the values: they may be personal."""
        return " & ".join(f"{each.operator}(…)" for each in (self, *self.others))


def eq(value: object) -> Condition:
    """Match a column equal to `value`; None means IS NULL."""
    return Condition(Operator.EQ, value)


def ne(value: object) -> Condition:
    """Match a column that is distinct from `value`: rows where it is NULL differ from every value."""
    return Condition(Operator.NE, value)


def gt(value: object) -> Condition:
    """Match a column greater than `value`."""
    return Condition(Operator.GT, value)


def gte(value: object) -> Condition:
    """Match a column greater than or equal to `value`."""
    return Condition(Operator.GTE, value)


def lt(value: object) -> Condition:
    """Match a column less than `value`."""
    return Condition(Operator.LT, value)


def lte(value: object) -> Condition:
    """Match a column less than or equal to `value`."""
    return Condition(Operator.LTE, value)


def between(lowest: object, highest: object) -> Condition:
    """Match a column from `lowest` to `highest`, both included."""
    return Condition(Operator.BETWEEN, (lowest, highest))


def like(pattern: str) -> Condition:
    r"""Match a text like `pattern`, in which `%` and `_` stand for anything and `\` takes their meaning away."""
    return Condition(Operator.LIKE, pattern)


def ilike(pattern: str) -> Condition:
    """Match as `like` does, whatever the case."""
    return Condition(Operator.ILIKE, pattern)


def contains(value: object) -> Condition:
    """Match a text that has `value` in it, whatever the case; an array or jsonb that contains `value` (`@>`)."""
    return Condition(Operator.CONTAINS, value)


def in_(values: Iterable[object]) -> Condition:
    """Match a column equal to one of `values`, which may not be empty and hold no None."""
    return Condition(Operator.IN, items_of("in_", values))


def not_in(values: Iterable[object]) -> Condition:
    """Match a column equal to none of `values`; NULL is none of them."""
    return Condition(Operator.NOT_IN, items_of("not_in", values))


def any_of(values: Iterable[object]) -> Condition:
    """Match an array that has at least one of `values` in it."""
    return Condition(Operator.ANY_OF, items_of("any_of", values))


def is_null() -> Condition:
    """Match a column that is NULL."""
    return Condition(Operator.IS_NULL)


def is_not_null() -> Condition:
    """Match a column that is not NULL."""
    return Condition(Operator.IS_NOT_NULL)


def items_of(name: str, values: Iterable[object]) -> list[object]:
    """Return the values as a list.

    Raises:
        StatementRefused: there are none, one is None, or a text was given in place of a collection.
    """
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise StatementRefused(f"{name} takes a collection of values, not {type(values).__name__}")
    items = list(values)
    if not items:
        raise StatementRefused(f"{name} got no values; decide what no values mean before asking the database")
    if any(item is None for item in items):
        raise StatementRefused(f"{name} got None among its values, which equals nothing; add is_null() on its own")
    return items


def encode(table: Table[Any], column: Column, value: Any, kind: SqlType | None = None) -> bytes | None:
    """Return a value as the parameter of a column, None for NULL.

    Raises:
        InvalidValue: the column can't hold it.
    """
    if value is None:
        return None
    try:
        return (kind or column.type).encode(value).encode()
    except BadValue as error:
        raise InvalidValue(error.reason, table=table.name, column=column.name, sqlstate=error.sqlstate) from None


def encode_row(table: Table[Any], names: tuple[str, ...], values: list[Any]) -> Parameters:
    """Return the values of a row as parameters.

    Raises:
        InvalidValue: a column can't hold its value.
    """
    try:
        return [
            None if value is None else write(value).encode()
            for write, value in zip(writers(table, names), values, strict=True)
        ]
    except BadValue:
        return [encode(table, table.column(name), value) for name, value in zip(names, values, strict=True)]


@lru_cache(1024)
def writers(table: Table[Any], names: tuple[str, ...]) -> tuple[Callable[[Any], str], ...]:
    """Return what writes each of the columns."""
    return tuple(table.column(name).type.encode for name in names)


def parse(table: Table[Any], where: Mapping[str, object]) -> tuple[Shape, Parameters]:
    """Return the shape of the conditions and their parameters, in the order of the shape.

    Raises:
        UnknownColumn, InvalidValue, StatementRefused: see `trueup.tables.errors`.
    """
    shape: list[tuple[str, Operator]] = []
    parameters: Parameters = []
    for name, value in where.items():
        column = table.column(name)
        if type(value) is column.type.python:
            parameters.append(encode(table, column, value))
            shape.append((name, Operator.EQ))
            continue
        if type(value) is not Condition:
            value = plain(table, column, value)  # noqa: PLW2901
        for each in (value, *value.others):
            operator = add(table, column, each, parameters)
            shape.append((name, operator))
    return tuple(shape), parameters


def plain(table: Table[Any], column: Column, value: object) -> Condition:
    """Return the equality that a bare value stands for."""
    if value is UNSET:
        raise StatementRefused(f"{table.name}.{column.name}: UNSET is no value to look for; leave the column out")
    family = column.type.family
    if isinstance(value, list | tuple | set | frozenset) and family not in {Family.ARRAY, Family.JSONB}:
        raise StatementRefused(f"{table.name}.{column.name}: a {type(value).__name__} equals no value; use in_(…)")
    return Condition(Operator.EQ, value)


def add(table: Table[Any], column: Column, condition: Condition, parameters: Parameters) -> Operator:
    """Append the parameters of one condition and return the operator that its value calls for."""
    operator, value = condition.operator, condition.value
    if operator in VALUELESS:
        return operator
    if value is None and operator in {Operator.EQ, Operator.NE}:
        return Operator.IS_NULL if operator is Operator.EQ else Operator.IS_NOT_NULL
    check_operator(table, column, operator)
    if value is None or (operator is Operator.BETWEEN and None in value):
        raise StatementRefused(f"{table.name}.{column.name}: {operator} can't compare with None; use is_null()")
    if operator is Operator.BETWEEN:
        parameters.extend(encode(table, column, each) for each in value)
    elif operator is Operator.CONTAINS and column.type.family is Family.TEXT:
        parameters.append(encode(table, column, value, ESCAPED))
    else:
        parameters.append(encode(table, column, value, parameter_type(column, operator)))
    return operator


def check_operator(table: Table[Any], column: Column, operator: Operator) -> None:
    """Raise StatementRefused unless the column's type has the operator."""
    known = UNDERSTOOD[column.type.family] if column.type.has_equality else frozenset[Operator]()
    if operator not in known:
        understood = ", ".join(sorted(known | VALUELESS))
        raise StatementRefused(
            f"{table.name}.{column.name}: {column.declared} has no {operator}; it understands {understood}"
        )


def escape(value: Any) -> str:
    r"""Return the pattern that finds a text as it is: `%`, `_` and `\` stand for themselves."""
    text = encode_text(value)
    for special in ("\\", "%", "_"):
        text = text.replace(special, "\\" + special)
    return f"%{text}%"


ESCAPED = SqlType(name="text", family=Family.TEXT, python=str, encode=escape, is_plain=never)
VALUELESS = frozenset({Operator.IS_NULL, Operator.IS_NOT_NULL})
EQUALITIES = frozenset({Operator.EQ, Operator.NE})
ORDERINGS = EQUALITIES | {
    Operator.GT, Operator.GTE, Operator.LT, Operator.LTE, Operator.BETWEEN, Operator.IN, Operator.NOT_IN,
}  # fmt: skip
UNDERSTOOD: Mapping[Family, frozenset[Operator]] = {
    Family.ORDERED: ORDERINGS,
    Family.TEXT: ORDERINGS | {Operator.LIKE, Operator.ILIKE, Operator.CONTAINS},
    Family.ARRAY: EQUALITIES | {Operator.ANY_OF, Operator.CONTAINS},
    Family.JSONB: EQUALITIES | {Operator.CONTAINS},
    Family.JSON: frozenset(),
}

SYMBOLS: Mapping[Operator, sql.SQL] = {
    Operator.EQ: sql.SQL("{column} = {value}"),
    Operator.NE: sql.SQL("{column} is distinct from {value}"),
    Operator.GT: sql.SQL("{column} > {value}"),
    Operator.GTE: sql.SQL("{column} >= {value}"),
    Operator.LT: sql.SQL("{column} < {value}"),
    Operator.LTE: sql.SQL("{column} <= {value}"),
    Operator.LIKE: sql.SQL("{column} like {value}"),
    Operator.ILIKE: sql.SQL("{column} ilike {value}"),
    Operator.IN: sql.SQL("{column} = any({value})"),
    Operator.NOT_IN: sql.SQL("({column} = any({value})) is not true"),
    Operator.ANY_OF: sql.SQL("{column} && {value}"),
    Operator.CONTAINS: sql.SQL("{column} @> {value}"),
    Operator.IS_NULL: sql.SQL("{column} is null"),
    Operator.IS_NOT_NULL: sql.SQL("{column} is not null"),
}


def parameter_type(column: Column, operator: Operator) -> SqlType:
    """Return the type of the parameter that an operator on a column takes."""
    return array_of(column.type) if operator in {Operator.IN, Operator.NOT_IN} else column.type


def placeholder(number: int, kind: SqlType) -> sql.SQL:
    """Return a parameter with its type, so that one text is one prepared statement."""
    return sql.SQL(f"${number}::{kind.name}")


@lru_cache(64)
def by_columns(names: tuple[str, ...]) -> Shape:
    """Return the shape of "these columns equal these values"."""
    return tuple((name, Operator.EQ) for name in names)


def render(table: Table[Any], shape: Shape, numbers: Iterator[int]) -> sql.Composable:
    """Return the SQL of a shape, its parameters numbered by `numbers`; `true` for an empty one."""
    parts = [render_one(table.column(name), operator, numbers) for name, operator in shape]
    return sql.SQL("\n  and ").join(parts) if parts else sql.SQL("true")


def render_one(column: Column, operator: Operator, numbers: Iterator[int]) -> sql.Composable:
    """Return the SQL of one condition."""
    if operator in VALUELESS:
        return SYMBOLS[operator].format(column=column.identifier)
    if operator is Operator.BETWEEN:
        lowest, highest = (placeholder(next(numbers), column.type) for _ in range(2))
        return sql.SQL("{} between {} and {}").format(column.identifier, lowest, highest)
    if operator is Operator.CONTAINS and column.type.family is Family.TEXT:
        operator = Operator.ILIKE
    value = placeholder(next(numbers), parameter_type(column, operator))
    return SYMBOLS[operator].format(column=column.identifier, value=value)
