"""Values for columns that nobody has said anything about: valid, boring, and unique where they have to be."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin
from uuid import NAMESPACE_OID, UUID, uuid5

from trueup.tables.contract import Column, Table, annotations_of, unwrap
from trueup.tables.sql_types import Family

DAY = date(2000, 1, 1)
MOMENT = datetime(2000, 1, 1, tzinfo=UTC)

BORING: Mapping[str, Callable[[], Any]] = {
    "boolean": lambda: False,
    "date": lambda: DAY,
    "time without time zone": time,
    "timestamp without time zone": lambda: MOMENT.replace(tzinfo=None),
    "timestamp with time zone": lambda: MOMENT,
    "interval": timedelta,
    "uuid": lambda: UUID(int=0),
    "json": dict,
    "jsonb": dict,
}
UNIQUE: Mapping[str, Callable[[int, str], Any]] = {
    "date": lambda number, _: DAY + timedelta(days=number),
    "time without time zone": lambda number, _: (MOMENT + timedelta(seconds=number)).time(),
    "timestamp without time zone": lambda number, _: MOMENT.replace(tzinfo=None) + timedelta(seconds=number),
    "timestamp with time zone": lambda number, _: MOMENT + timedelta(seconds=number),
    "interval": lambda number, _: timedelta(seconds=number),
    "uuid": lambda number, tag: uuid5(NAMESPACE_OID, f"{tag}-{number}"),
    "bytea": lambda number, tag: f"{tag}-{number}".encode(),
    "numeric": lambda number, _: Decimal(number),
}


def boring(table: Table[Any], column: Column) -> Any:
    """Return a value that the column can hold and that says nothing; the first of those that a Literal lists."""
    hint, _, _ = unwrap(annotations_of(table)[column.name])
    if get_origin(hint) is Literal:
        return get_args(hint)[0]
    if column.type.name in BORING:
        return BORING[column.type.name]()
    if column.type.family is Family.TEXT:
        return column.name[: column.most]
    return column.type.python()


def unique(column: Column, number: int, tag: str) -> Any:
    """Return a value that only this number and tag give; `tag` is left out where it doesn't fit."""
    if column.type.name in UNIQUE:
        return UNIQUE[column.type.name](number, tag)
    if column.type.family is Family.TEXT:
        return fitted(f"{column.name} {tag}-{number}", column)
    return column.type.python(number)


def fitted(text: str, column: Column) -> str:
    """Return the end of a text, where the number is, as far as the column holds it."""
    return text if column.most is None else text[-column.most :]


def can_be_unique(table: Table[Any], column: Column) -> bool:
    """Say whether the column's type has values to choose from."""
    hint, _, _ = unwrap(annotations_of(table)[column.name])
    is_choice = get_origin(hint) is Literal or column.type.name == "boolean"
    return not is_choice and column.type.family in {Family.TEXT, Family.ORDERED}
