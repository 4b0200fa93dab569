"""What a database says has been applied to it: the table `schema_migrations`, as dbmate makes and reads it."""

from dataclasses import dataclass

from psycopg import errors as server_errors
from psycopg import sql

from trueup.db.connection import Connection
from trueup.errors import PermissionMissing, UsageError

HISTORY = "schema_migrations"
"""The name of the table in which a database keeps the versions of its migrations."""


@dataclass(frozen=True, slots=True)
class History:
    """Is the table in one schema of one database: what a connection finds as its current schema, else `public`."""

    connection: Connection
    schema: str

    @classmethod
    def of(cls, connection: Connection) -> "History":
        """Return the history that this connection would keep; nothing is created."""
        row = connection.execute("select coalesce(current_schema()::text, 'public')").fetchone()
        assert row
        return cls(connection, row[0])

    @property
    def table(self) -> sql.Identifier:
        """The table's name with its schema: a migration may change what a bare name means."""
        return sql.Identifier(self.schema, HISTORY)

    def create(self) -> None:
        """Make the table unless it is there.

        Raises:
            PermissionMissing: the role may not.
            UsageError: its schema doesn't exist.
        """
        if self.exists():
            return
        try:
            self.connection.execute(
                sql.SQL("create table if not exists {} (version varchar primary key)").format(self.table)
            )
        except server_errors.InsufficientPrivilege as error:
            raise PermissionMissing(
                f"{error.diag.message_primary}: migrations are recorded in {self.schema}.{HISTORY}; run them as a role"
                f" that may create it, or grant CREATE on schema {self.schema}"
            ) from error
        except server_errors.InvalidSchemaName as error:
            raise UsageError(f"there is no schema {self.schema} to record migrations in: create it") from error

    def exists(self) -> bool:
        """Whether the table is there."""
        query = "select exists (select from pg_catalog.pg_tables where schemaname = %s and tablename = %s)"
        row = self.connection.execute(query, [self.schema, HISTORY]).fetchone()
        assert row
        return bool(row[0])

    def versions(self) -> frozenset[str]:
        """Return the applied versions; none when there is no table yet.

        Raises:
            PermissionMissing: the role may not read the table.
        """
        if not self.exists():
            return frozenset()
        try:
            rows = self.connection.execute(sql.SQL("select version from {}").format(self.table)).fetchall()
        except server_errors.InsufficientPrivilege as error:
            raise PermissionMissing(
                f"{error.diag.message_primary}: grant SELECT on {self.schema}.{HISTORY}, and USAGE on its schema"
            ) from error
        return frozenset(version for (version,) in rows)

    def add(self, version: str) -> None:
        """Record that `version` is applied."""
        self.connection.execute(sql.SQL("insert into {} (version) values (%s)").format(self.table), [version])

    def remove(self, version: str) -> None:
        """Record that `version` is not applied."""
        self.connection.execute(sql.SQL("delete from {} where version = %s").format(self.table), [version])
