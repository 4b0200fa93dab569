"""A scratch database in which migrations are tried while its tables hold made-up rows."""

from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.db import Connection, connect, snapshot
from trueup.migrations import Migration, Migrations, migrate_down, migrate_up
from trueup.parity.schema import Catalog, QualifiedName, catalog, without_history
from trueup.parity.schema.planning.survival import Kept, Rows, rows
from trueup.parity.schema.planting import plant
from trueup.servers import EmbeddedServer

ROWS = 2
"""So many are put into each table."""


@dataclass(slots=True, kw_only=True)
class Stage:
    """Is the database; its server ends with the context."""

    migrations: Migrations
    version: int
    """Of the server."""
    cache_folder: Path
    planted: int = 0
    """How many rows have been put into tables."""
    _number: int = 0
    _server: ExitStack = field(default_factory=ExitStack)
    _opened: tuple[ConnInfo, Connection] | None = None

    def __enter__(self) -> Self:
        """Start a server with an empty database.

        Raises:
            ServerUnavailable: it can't be started.
        """
        self.rebuild(())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the server."""
        self._server.close()

    def rebuild(self, applied: Collection[Migration]) -> None:
        """Begin anew on another server, since a file may have changed the whole one: with these applied, and no row."""
        self._server.close()
        server = self._server.enter_context(EmbeddedServer(self.version, cache_folder=self.cache_folder))
        conninfo = server.create_database("rehearsal")
        self._opened = conninfo, self._server.enter_context(connect(conninfo))
        for migration in applied:
            self.up(migration)

    def up(self, migration: Migration) -> None:
        """Apply a migration.

        Raises:
            MigrationFailed: its SQL failed.
        """
        migrate_up(self._connection, self.migrations, to=migration.version)

    def down(self) -> None:
        """Undo the newest migration.

        Raises:
            MigrationFailed: its SQL failed.
        """
        migrate_down(self._connection, self.migrations)

    def structure(self) -> Catalog:
        """Return what the database is made of, without what migrations are recorded in."""
        with snapshot(self._conninfo) as seen:
            return without_history(catalog(seen))

    def fill(self, found: Catalog, names: Collection[QualifiedName]) -> Mapping[QualifiedName, str]:
        """Put rows into tables that have too few; returns why not, by table, where made-up ones are refused."""
        lacking = {name for name in names if self._lacks_rows(found, name)}
        tables = {name: each for name, each in found.tables.items() if name in lacking or each.partition_bound}
        refused: Mapping[QualifiedName, str] = {}
        for _ in range(ROWS if lacking else 0):
            self._number += 1
            refused = plant(self._connection, replace(found, tables=tables), number=self._number)
            self.planted += len(lacking) - len(refused)
        return refused

    def rows(self, wanted: Collection[Kept]) -> Rows:
        """Read what tables hold."""
        return rows(self._conninfo, wanted)

    def _lacks_rows(self, found: Catalog, name: QualifiedName) -> bool:
        table = found.tables[name]
        if table.kind == "foreign table" or table.partition_bound:
            return False
        counted = sql.SQL("select count(*) from (select from {} limit {}) as found").format(
            sql.Identifier(*name), sql.Literal(ROWS)
        )
        row = self._connection.execute(counted).fetchone()
        assert row
        return int(row[0]) < ROWS

    @property
    def _conninfo(self) -> ConnInfo:
        assert self._opened
        return self._opened[0]

    @property
    def _connection(self) -> Connection:
        assert self._opened
        return self._opened[1]
