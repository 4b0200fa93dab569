"""The rows that a new row points to: given, or made when a column needs them; all of one tenant.

A column can be decided by several of them: `company_id` by the company of a booking, and by its client. What the test
has given counts first.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from factory.declarations import BaseDeclaration

from trueup.errors import UsageError
from trueup.tables import Table
from trueup.testing.data.relations import Relation

DEEPEST = 20
"""How many rows may need each other in a line."""

RowMaker = Callable[[str, str, Any, Mapping[str, Any]], Any]
"""Makes a row: the name of its table, the place that needs it, factory_boy's step, and what is given for it."""


@dataclass(frozen=True, eq=False)
class Link:
    """Is one row that a new row points to, by the name that tests have for it."""

    name: str
    relation: Relation
    pairs: Mapping[str, str]
    """Which of its columns each column of the new row equals: those of the relation, and the tenant."""


@dataclass(frozen=True, eq=False)
class Links:
    """Is every row that a new row of a table points to."""

    table: Table[Any]
    links: tuple[Link, ...]
    owners: Mapping[str, Link]
    """Which of them a column is taken from when nothing is given."""
    covering: Mapping[str, list[Link]] = field(default_factory=dict)

    def deciding(self, names: Iterable[str], column: str) -> bool:
        """Say whether what is given, by name, decides a column: itself, or a row that it is taken from."""
        roots = {name.partition("__")[0] for name in names}
        return column in roots or any(link.name in roots for link in self.covering.get(column, ()))


def links_of(
    table: Table[Any], relations: Iterable[Relation], tenants: Mapping[str, str | None], declared: Iterable[str]
) -> Links:
    """Return the rows that a new row points to; a relation whose columns are all declared makes none.

    `tenants` is the tenant column of each table that has a contract.
    """
    links: list[Link] = []
    owners: dict[str, Link] = {}
    covering: dict[str, list[Link]] = defaultdict(list)
    taken = {*table.by_name}
    for relation in relations:
        own = [column for column in relation.columns if column not in declared and column not in owners]
        if not own:
            continue
        called = relation.name_in(table)
        link = Link(f"{called}_row" if called in taken else called, relation, pairs_of(table, relation, tenants))
        taken.add(link.name)
        links.append(link)
        owners |= dict.fromkeys(own, link)
        for column in link.pairs:
            covering[column].append(link)
    return Links(table, tuple(links), owners, covering)


def pairs_of(table: Table[Any], relation: Relation, tenants: Mapping[str, str | None]) -> Mapping[str, str]:
    """Return which columns two rows have in common: the relation's, and the tenant where both have one."""
    tenant, other = table.tenant, tenants.get(relation.parent)
    if tenant is None or other is None or tenant in relation.columns or other in relation.columns.values():
        return relation.columns
    return {**relation.columns, tenant: other}


class Parent(BaseDeclaration):
    """Stands for the row that another row points to."""

    UNROLL_CONTEXT_BEFORE_EVALUATION = False
    """What is given for it is evaluated with it."""

    def __init__(self, links: Links, link: Link, make: RowMaker, links_by_table: Callable[[str], Links | None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # of factory_boy
        self.links = links
        self.link = link
        self.make = make
        self.links_by_table = links_by_table

    def evaluate(self, instance: Any, step: Any, extra: Any) -> "Pending":
        """Return the row to be."""
        return Pending(self, instance, step, dict(extra))


class Pending:
    """Is a row that may have to be made."""

    def __init__(self, parent: Parent, child: Any, step: Any, given: Mapping[str, Any]) -> None:
        self.parent = parent
        self.child = child
        self.step = step
        self.given = given
        self.row: Any = None

    def decides(self, column: str) -> bool:
        """Say whether what the test has given for this row decides a column of it."""
        links = self.parent.links_by_table(self.parent.link.relation.parent)
        return links is not None and links.deciding(self.given, column)

    def made(self) -> Any:
        """Return the row, made on the first ask; what it has in common with the row that points to it is the same.

        Raises:
            UsageError: there is no factory for it, or rows would need each other without end.
        """
        if self.row is None:
            link, table = self.parent.link, self.parent.links.table
            place = f"{table.name}.{', '.join(link.relation.columns)}"
            if len(self.step.chain) > DEEPEST:
                raise UsageError(f"{place}: each row needs another one without end: give one of them")
            owners = self.parent.links.owners
            shared = {
                other: getattr(self.child, column)
                for column, other in link.pairs.items()
                if owners.get(column) is not link and not self.decides(other)
            }
            self.row = self.parent.make(link.relation.parent, place, self.step, {**shared, **self.given})
        return self.row


def decided(links: Links, column: str, default: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return what gives a column its value: a row that is given, one of which something is given, its owner's."""
    covering = links.covering[column]
    owner = links.owners.get(column)

    def decide(row: Any) -> Any:
        found = [(link, getattr(row, link.name)) for link in covering]
        for link, parent in found:
            if not isinstance(parent, Pending):
                return getattr(parent, link.pairs[column])
        for link, parent in found:
            if parent.decides(link.pairs[column]):
                return getattr(parent.made(), link.pairs[column])
        if owner is None:
            return default(row)
        return getattr(getattr(row, owner.name).made(), owner.pairs[column])

    return decide
