"""Factories of rows: declared once a table, used by the fixture `make`.

They are factory_boy's, with its declarations: Faker, Sequence, LazyAttribute, Trait, post_generation. What is not
declared comes from the table's contract and the database's catalog.

Source: factory_boy's reference, https://factoryboy.readthedocs.io/.
"""

import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from factory.declarations import BaseDeclaration, Parameter, PostGenerationDeclaration

from trueup.errors import UsageError
from trueup.tables import Repository, Table, UnknownColumn
from trueup.testing.data.parents import Links

R = TypeVar("R")


@dataclass(frozen=True, eq=False)
class Factory(Generic[R]):
    """Is how the rows of one table are made."""

    name: str
    """As tests call it: `make.client()`."""
    repository: type[Repository[R]]
    table: Table[R]
    declarations: Mapping[str, Any]
    """Values and factory_boy's declarations, by column."""
    parameters: Mapping[str, Any]
    """Traits and other parameters, which are no columns."""


def factory(of: Table[R] | type[Repository[R]], name: str = "", /, **declarations: Any) -> Factory[R]:
    """Declare how the rows of a table are made: by a value or a declaration of factory_boy for a column, or a trait.

    `of` is a contract, or the repository that the project's own code writes through. What `declarations` leave out is
    taken from the contract: nothing for what has a default, a row of the other table for what must point to one, else
    a valid value. `name` is what tests call it; without it, `Client` is made by `make.client()`.

    Raises:
        UnknownColumn: a declaration is for no column of the table.
        UsageError: it declares its name, or one that the fixture has for itself.
    """
    table = of if isinstance(of, Table) else of.table
    repository = Repository if isinstance(of, Table) else of
    called = name or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", table.row.__name__).lower()
    if called in {"batch", "made"} or not called.isidentifier():
        raise UsageError(f'{table.name}: a factory can\'t be called "{called}": give it another name')
    parameters = {key: value for key, value in declarations.items() if isinstance(value, Parameter)}
    others = {key: value for key, value in declarations.items() if key not in parameters}
    for key, value in others.items():
        if not isinstance(value, PostGenerationDeclaration):
            table.column(key.partition("__")[0])
    if both := sorted(parameters.keys() & table.by_name.keys()):
        raise UnknownColumn(f"{table.name}.{both[0]} is a column, so no trait can have its name")
    return Factory(called, repository, table, others, parameters)


class Making(Protocol):
    """Is who makes rows for a test, as its declarations see it."""

    @property
    def tag(self) -> str:
        """What marks unique texts."""

    @property
    def next_number(self) -> Callable[[], int]:
        """What gives the next number for a unique value."""

    def class_of_table(self, table: str, place: str) -> type[Any]:
        """Return factory_boy's class for rows of a table that a place points to."""

    def links_of_table(self, table: str) -> Links | None:
        """Return what new rows of a table point to; None where there is no factory for it."""

    def store(self, found: Factory[R], values: Mapping[str, Any]) -> R:
        """Store a row and return it as it is stored."""


MAKER: ContextVar[Making] = ContextVar("trueup_maker")
"""Who is making rows: factory_boy hands no caller down to its declarations."""


class Unique(BaseDeclaration):
    """Gives a text that no other test, worker or run gives: `Unique("+7000{n:07}")`, `Unique("{tag}-{n}")`.

    `n` is a number and `tag` ten characters. On a live database its journal counts `n`, so `n` alone is unique there
    over all workers and runs; in a database of the test's own it starts from 1, and data is the same in every run with
    the same seed.
    """

    def __init__(self, template: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # of factory_boy
        self.template = template

    def evaluate(self, instance: Any, step: Any, extra: Any) -> str:  # noqa: ARG002 — factory_boy's signature
        """Return the next text."""
        maker = MAKER.get()
        return self.template.format(n=maker.next_number(), tag=maker.tag)
