"""Two databases of different versions to be held against each other, both ways round."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.db import connect, snapshot
from trueup.db.connection import Connection
from trueup.parity.data import (
    SequenceCheck,
    Side,
    TableComparison,
    TablePair,
    Unpaired,
    compare,
    pair_tables,
    sequences_behind,
)
from trueup.parity.schema import row_catalog
from trueup.servers import EmbeddedServer

NUMBERS = itertools.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Databases:
    """Is a source and a target, and a connection to each that writes."""

    source: Connection
    target: Connection
    places: tuple[ConnInfo, ConnInfo]

    def both(self, *statements: str) -> None:
        """Run statements on both."""
        for statement in statements:
            self.source.execute(statement)
            self.target.execute(statement)

    def sides(self, stack: ExitStack, **parameters: str) -> tuple[Side, Side]:
        """Open a snapshot of each."""
        opened = [stack.enter_context(snapshot(place.with_parameters(**parameters))) for place in self.places]
        source, target = (Side(snapshot=one, catalog=row_catalog(one)) for one in opened)
        return source, target

    @contextmanager
    def pairs(self, **parameters: str) -> Iterator[tuple[Side, Side, tuple[TablePair | Unpaired, ...]]]:
        """Open a snapshot of each, and pair their tables."""
        with ExitStack() as stack:
            source, target = self.sides(stack, **parameters)
            yield source, target, pair_tables(source.catalog, target.catalog)

    def compare(self, *, user: str = "postgres", **options: Any) -> tuple[TableComparison, ...]:
        """Compare the rows of all tables."""
        with ExitStack() as stack:
            return compare(*self.sides(stack, user=user), **options)

    def compare_one(self, **options: Any) -> TableComparison:
        """Compare the rows of the one table there is."""
        [found] = self.compare(**options)
        return found

    def sequences_behind(self, *, user: str = "postgres") -> SequenceCheck:
        """Check the target's sequences."""
        with snapshot(self.places[1].with_parameters(user=user)) as target:
            return sequences_behind(Side(snapshot=target, catalog=row_catalog(target)))


@pytest.fixture(scope="session", params=["16to18", "18to16"])
def places(
    request: pytest.FixtureRequest, server16: EmbeddedServer, server18: EmbeddedServer
) -> Iterator[tuple[ConnInfo, ConnInfo]]:
    servers = (server16, server18) if request.param == "16to18" else (server18, server16)
    name = f"data_{next(NUMBERS)}"
    yield servers[0].create_database(name), servers[1].create_database(name)
    for server in servers:
        server.drop_database(name)


@pytest.fixture
def databases(places: tuple[ConnInfo, ConnInfo]) -> Iterator[Databases]:
    """Return both, empty."""
    with connect(places[0]) as source, connect(places[1]) as target:
        yield Databases(source=source, target=target, places=places)
        for connection in (source, target):
            _drop_all(connection)


def _drop_all(connection: Connection) -> None:
    own = "nspname !~ '^pg_' and nspname <> 'information_schema'"
    for (name,) in connection.execute(f"select nspname from pg_namespace where {own}").fetchall():
        connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(name)))
    connection.execute("create schema public")
