"""Factories of rows: declared once a table, used by the fixture `make`.

They are factory_boy's, with its declarations: Faker, Sequence, LazyAttribute, Trait, post_generation. What is not
declared comes from the table's contract and the database's catalog.

Source: factory_boy's reference, https://factoryboy.readthedocs.io/.
"""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from factory.base import Factory as BoyFactory
from factory.declarations import (
    BaseDeclaration,
    LazyAttribute,
    Parameter,
    PostGenerationDeclaration,
)

from trueup.errors import UsageError
from trueup.tables import Equals, Follows, Repository, Table, UnknownColumn
from trueup.tables.contract import Column
from trueup.testing.data.parents import Links, Parent, decided
from trueup.testing.data.relations import Relations
from trueup.testing.data.values import boring, can_be_unique, unique

if TYPE_CHECKING:
    from trueup.testing.data.making import Blueprints, Maker

R = TypeVar("R")

MAKER: "ContextVar[Maker]" = ContextVar("trueup_maker")
"""Who is making rows: factory_boy hands no caller down to its declarations."""


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


class UniqueColumn(BaseDeclaration):
    """Gives a column a value of its type that it has in no other row; with the text of its marker around it, if any."""

    def __init__(self, column: Column, marker: tuple[str, str] = ("", "")) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # of factory_boy
        self.column = column
        self.marker = marker

    def evaluate(self, instance: Any, step: Any, extra: Any) -> Any:  # noqa: ARG002 — as above
        """Return the next value."""
        maker = MAKER.get()
        number = maker.next_number()
        before, after = self.marker
        if not before and not after:
            return unique(self.column, number, maker.tag)
        room = None if self.column.most is None else self.column.most - len(before) - len(after)
        text = f"{maker.tag}-{number}"
        return f"{before}{text if room is None or len(text) <= room else str(number)}{after}"


def class_of(factory: Factory[Any], blueprints: "Blueprints") -> type[Any]:
    """Return factory_boy's class for a factory, as a database needs it."""
    table, links = factory.table, blueprints.links_of(factory)
    declared: dict[str, Any] = dict(factory.declarations)
    parents = {link.name: Parent(links, link, make_parent, links_by_table) for link in links.links}
    for column in table.columns:
        if column.name in declared:
            continue
        default = default_of(table, column, blueprints.relations)
        if column.name in links.covering:
            declared[column.name] = LazyAttribute(decided(links, column.name, partial(boring_in, table, column)))
        elif default is not None:
            declared[column.name] = default[0]
    attributes = {
        "Meta": type("Meta", (), {"model": table.row}),
        "Params": type("Params", (), {**parents, **factory.parameters}),
        "source": staticmethod(lambda: factory),
    }
    name = f"{table.row.__name__}Factory"
    made: type[Any] = type(RowFactory)(name, (RowFactory,), {**declared, **attributes})  # type: ignore[misc]
    return made


def make_parent(table: str, place: str, step: Any, given: Mapping[str, Any]) -> Any:
    """Make the row that a place points to."""
    maker = MAKER.get()
    return step.recurse(maker.class_of(maker.blueprints.registry.of_table(table, place)), dict(given))


def links_by_table(table: str) -> Links | None:
    """Return what new rows of a table point to; None where there is no factory for it."""
    blueprints = MAKER.get().blueprints
    found = blueprints.registry.by_table.get(table)
    return blueprints.links_of(found) if found else None


def boring_in(table: Table[Any], column: Column, _row: object) -> Any:
    """Return a value that says nothing."""
    return boring(table, column)


def default_of(table: Table[Any], column: Column, relations: Relations) -> tuple[Any] | None:
    """Return what a column gets that nobody has declared, as a tuple; None: nothing, the server's default."""
    marker = table.marker
    if marker is not None and not isinstance(marker, Follows) and marker.column == column.name:
        return (marker.value if isinstance(marker, Equals) else UniqueColumn(column, marker.around),)
    if column.name not in table.required or column.name in table.generated:
        return None
    keys = {*table.key, *relations.uniques.get(table.name, ())} - {table.tenant}
    if column.name in keys and can_be_unique(table, column):
        return (UniqueColumn(column),)
    return (LazyAttribute(partial(boring_in, table, column)),)


class RowFactory(BoyFactory[Any]):
    """Stores what it makes through the repository of its table."""

    class Meta:
        """Is no factory by itself."""

        abstract = True

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **values: Any) -> Any:  # noqa: ARG003 — factory_boy's signature
        return MAKER.get().store(cls.source(), values)  # type: ignore[attr-defined]
