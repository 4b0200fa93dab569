"""How rows become values of the row type, and values become what is written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import compress
from operator import attrgetter
from types import MemberDescriptorType
from typing import Any, TypeVar

import msgspec

from trueup.tables.contract import UNSET, Table
from trueup.tables.errors import StatementRefused

R = TypeVar("R")
Maker = Callable[[tuple[Any, ...]], R]


@cache
def maker_of(table: Table[R]) -> Maker[R]:
    """Return the function that makes a row from the values of the columns, in the contract's order.

    A frozen dataclass with slots is filled slot by slot, which takes a third of the time of its `__init__`; one that
    computes something when it is made (`__post_init__`, `field(init=False)`) goes through its constructor.
    """
    row = table.row
    names = [column.name for column in table.columns]
    if issubclass(row, msgspec.Struct) or not is_dataclass(row):
        return compiled(row, call_source(names))
    slots = [getattr(row, name, None) for name in names]
    if hasattr(row, "__post_init__") or not all(isinstance(slot, MemberDescriptorType) for slot in slots):
        if any(not each.init for each in fields(row)):
            raise StatementRefused(f"{table.name}: a field of {row.__name__} is not set by its constructor")
        return compiled(row, call_source(names))
    return compiled(row, slot_source(names))


def call_source(names: list[str]) -> str:
    """Return the source of a function that calls the constructor by keywords."""
    values = "".join(f"v{i}, " for i in range(len(names)))
    arguments = ", ".join(f"{name}=v{i}" for i, name in enumerate(names))
    return f"def make(values, row=row):\n    {values} = values\n    return row({arguments})\n"


def slot_source(names: list[str]) -> str:
    """Return the source of a function that fills the slots of a new object."""
    setters = ", ".join(f"set{i}=row.{name}.__set__" for i, name in enumerate(names))
    values = "".join(f"v{i}, " for i in range(len(names)))
    fills = "".join(f"    set{i}(made, v{i})\n" for i in range(len(names)))
    head = f"def make(values, row=row, new=object.__new__, {setters}):\n    {values} = values\n    made = new(row)\n"
    return f"{head}{fills}    return made\n"


def compiled(row: type[Any], source: str) -> Callable[..., Any]:
    """Return the function that `source` defines; the names in it are fields of a class, hence identifiers."""
    scope: dict[str, Any] = {"row": row}
    exec(source, scope)  # noqa: S102  as dataclasses does, from names that Python has accepted as attributes
    make: Callable[..., Any] = scope["make"]
    return make


@cache
def column_reader_of(name: str) -> Callable[[Sequence[Any]], list[Any]]:
    """Return the function that takes one column out of rows; a loop of its own is faster than `attrgetter`."""
    return compiled(object, f"def make(rows):\n    return [row.{name} for row in rows]\n")


def classes_of(values: Iterable[Any]) -> set[type]:
    """Return the classes of values."""
    return set(map(type, values))


@cache
def reader_of(table: Table[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """Return the function that takes the insertable columns' values out of a row, in order."""
    names = table.insertable
    if len(names) > 1:
        return attrgetter(*names)
    return lambda row: tuple(getattr(row, name) for name in names)


def written(table: Table[R], row: R | Mapping[str, object]) -> tuple[tuple[str, ...], list[Any]]:
    """Return the names and the values of the columns that a row says something about.

    Raises:
        UnknownColumn: a mapping has a key that is no column.
        StatementRefused: it is neither a row of the table nor a mapping, or a mapping sets a generated column.
    """
    if isinstance(row, table.row):
        values = reader_of(table)(row)
        is_set = [value is not UNSET for value in values]
        return tuple(compress(table.insertable, is_set)), list(compress(values, is_set))
    if isinstance(row, Mapping):
        pairs = [(check_writable(table, name), value) for name, value in row.items() if value is not UNSET]
        return tuple(name for name, _ in pairs), [value for _, value in pairs]
    raise StatementRefused(
        f"{table.name}: a row is a {table.row.__name__} or a mapping of columns, not {type(row).__name__}"
    )


def check_writable(table: Table[Any], name: str) -> str:
    """Return the name if it is a column that may be written."""
    if table.column(name).name in table.generated:
        raise StatementRefused(f"{table.name}.{name}: the server makes it; leave it out")
    return name
