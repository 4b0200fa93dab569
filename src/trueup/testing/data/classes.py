"""The classes of factory_boy that factories become, as a database needs them."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from factory.base import Factory as BoyFactory
from factory.declarations import BaseDeclaration, LazyAttribute

from trueup.tables import Equals, Follows, Table
from trueup.tables.contract import Column
from trueup.testing.data.factories import MAKER, Factory
from trueup.testing.data.parents import Links, Parent, decided
from trueup.testing.data.relations import Relations
from trueup.testing.data.values import boring, can_be_unique, unique


class UniqueColumn(BaseDeclaration):
    """Gives a column a value of its type that it has in no other row; with the text of its marker around it, if any."""

    def __init__(self, column: Column, marker: tuple[str, str] = ("", "")) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # of factory_boy
        self.column = column
        self.marker = marker

    def evaluate(self, instance: Any, step: Any, extra: Any) -> Any:  # noqa: ARG002 — factory_boy's signature
        """Return the next value."""
        maker = MAKER.get()
        number = maker.next_number()
        before, after = self.marker
        if not before and not after:
            return unique(self.column, number, maker.tag)
        room = None if self.column.most is None else self.column.most - len(before) - len(after)
        text = f"{maker.tag}-{number}"
        return f"{before}{text if room is None or len(text) <= room else str(number)}{after}"


def class_of(factory: Factory[Any], links: Links, relations: Relations) -> type[Any]:
    """Return factory_boy's class for a factory, as a database needs it."""
    table = factory.table
    declared: dict[str, Any] = dict(factory.declarations)
    parents = {link.name: Parent(links, link, make_parent, links_by_table) for link in links.links}
    for column in table.columns:
        if column.name in declared:
            continue
        default = default_of(table, column, relations)
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
    return step.recurse(MAKER.get().class_of_table(table, place), dict(given))


def links_by_table(table: str) -> Links | None:
    """Return what new rows of a table point to; None where there is no factory for it."""
    return MAKER.get().links_of_table(table)


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
    def _create(cls, model_class: Any, *args: Any, **values: Any) -> Any:  # noqa: ARG003 — as above
        return MAKER.get().store(cls.source(), values)  # type: ignore[attr-defined]
