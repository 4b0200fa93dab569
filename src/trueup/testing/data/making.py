"""Makes rows for one test: what the fixture `make` gives."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any, TypeVar, overload

from factory.random import randgen
from faker import Faker

from trueup.errors import UsageError
from trueup.tables import Connections, Repository, Table
from trueup.testing.data.classes import class_of
from trueup.testing.data.factories import MAKER, Factory
from trueup.testing.data.parents import Links, links_of
from trueup.testing.data.registry import Registry
from trueup.testing.data.relations import Relations, read_relations

R = TypeVar("R")


@dataclass(slots=True, kw_only=True, eq=False)
class Blueprints:
    """Is how rows are made in one kind of database: factory_boy's classes, built when they are first needed."""

    registry: Registry
    relations: Relations
    classes: dict[Factory[Any], type[Any]] = field(default_factory=dict)
    links: dict[Factory[Any], Links] = field(default_factory=dict)

    def class_of(self, found: Factory[Any]) -> type[Any]:
        """Return factory_boy's class for a factory."""
        if found not in self.classes:
            self.classes[found] = class_of(found, self.links_of(found), self.relations)
        return self.classes[found]

    def links_of(self, found: Factory[Any]) -> Links:
        """Return what new rows of a factory point to."""
        if found not in self.links:
            tenants = {name: each.table.tenant for name, each in self.registry.by_table.items()}
            relations = self.relations.of(found.table)
            self.links[found] = links_of(found.table, relations, tenants, found.declarations)
        return self.links[found]

    def reset_sequences(self) -> None:
        """Let factory_boy's sequences begin anew."""
        for made in self.classes.values():
            made.reset_sequence(0, force=True)


@dataclass(slots=True, kw_only=True)
class Costs:
    """Is what the rows of one factory have cost a test; related rows count for the factory that was called."""

    rows: int = 0
    seconds: float = 0.0


@dataclass(slots=True, kw_only=True, eq=False)
class Maker:
    """Stores rows through repositories, and knows which it has stored."""

    db: Connections
    blueprints: Blueprints
    seed: int
    next_number: Callable[[], int]
    made: list[tuple[Table[Any], Any]] = field(default_factory=list)
    """Each row with its table, in the order in which they were stored."""
    costs: dict[str, Costs] = field(default_factory=lambda: defaultdict(Costs))
    calls: int = 0
    """How often it was asked for rows."""
    has_looked: bool = False

    @property
    def tag(self) -> str:
        """What marks unique texts: ten characters that no other test, worker or run has."""
        return f"{self.seed:016x}"[:10]

    def make(self, found: Factory[R], number: int, given: Mapping[str, Any]) -> list[R]:
        """Return so many new rows.

        Every call has a seed of its own: what else draws random numbers meanwhile, or seeds anew, changes nothing.
        """
        begin, already = perf_counter(), len(self.made)
        self.calls += 1
        randgen.seed(self.seed + self.calls)
        Faker.seed(self.seed + self.calls)
        token = MAKER.set(self)
        try:
            rows: list[R] = self.class_of(found).create_batch(number, **given)
            return rows
        finally:
            MAKER.reset(token)
            costs = self.costs[found.name]
            costs.rows += len(self.made) - already
            costs.seconds += perf_counter() - begin

    def class_of(self, found: Factory[Any]) -> type[Any]:
        """Return factory_boy's class for a factory; a table that was created meanwhile is looked for once."""
        if found.table.name not in self.blueprints.relations.uniques and not self.has_looked:
            self.has_looked = True
            with self.db.connection() as connection:
                self.blueprints = Blueprints(registry=self.blueprints.registry, relations=read_relations(connection))
        return self.blueprints.class_of(found)

    def class_of_table(self, table: str, place: str) -> type[Any]:
        """Return factory_boy's class for rows of a table that a place points to."""
        return self.class_of(self.blueprints.registry.of_table(table, place))

    def links_of_table(self, table: str) -> Links | None:
        """Return what new rows of a table point to; None where there is no factory for it."""
        found = self.blueprints.registry.by_table.get(table)
        return self.blueprints.links_of(found) if found else None

    def store(self, found: Factory[R], values: Mapping[str, Any]) -> R:
        """Store a row and return it as it is stored.

        Raises:
            UsageError: as it is stored, it doesn't carry the marker of its table.
        """
        row = repository_of(found, self.db).insert(values)
        check_mark(found.table, row)
        self.made.append((found.table, row))
        return row

    def close(self) -> None:
        """End with the test; whose database it is puts it back."""


def repository_of(found: Factory[R], db: Connections) -> Repository[R]:
    """Return the repository that a factory writes through."""
    return found.repository(db) if hasattr(found.repository, "table") else found.repository(db, found.table)


def check_mark(table: Table[Any], row: object) -> None:
    """Raise UsageError unless a row as it is stored carries the marker of its table: else no clean-up would find it."""
    if table.marker is not None and not table.marker.matches(row):
        raise UsageError(
            f"{table.name}.{', '.join(table.marker.columns)}: the row as it is stored does not carry the marker of its"
            " table, so no clean-up would find it: give a value that does, or declare the marker as it is stored"
        )


class Make:
    """Makes rows: `make.client(name="Ann")`, `make.batch("client", 3)`, or by the factory itself, which is typed.

    A row that the new one must point to is made too, unless it is given: `make.booking(client=client)`,
    `make.booking(client__name="Ann")`.
    """

    def __init__(self, maker: Maker) -> None:
        self._maker = maker

    def __repr__(self) -> str:
        return f"Make({len(self.made)} rows, {', '.join(sorted(self._maker.blueprints.registry.by_name))})"

    def __call__(self, of: Factory[R], /, **given: Any) -> R:
        """Return a new row of a factory."""
        return self._maker.make(of, 1, given)[0]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return partial(self, self._maker.blueprints.registry.named(name))

    @overload
    def batch(self, of: Factory[R], number: int, /, **given: Any) -> list[R]: ...

    @overload
    def batch(self, of: str, number: int, /, **given: Any) -> list[Any]: ...

    def batch(self, of: Factory[Any] | str, number: int, /, **given: Any) -> list[Any]:
        """Return so many new rows of a factory, or of one by its name."""
        if type(number) is not int or number < 0:
            raise UsageError(f"make.batch takes a number of rows from 0, not {number!r}")
        return self._maker.make(self._maker.blueprints.registry.named(of) if isinstance(of, str) else of, number, given)

    @property
    def made(self) -> tuple[Any, ...]:
        """Every row that this test has made, related ones included, in the order in which they were stored."""
        return tuple(row for _, row in self._maker.made)
