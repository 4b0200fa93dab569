"""A frozen, read-only view of one database, with every setting that shapes output pinned."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from trueup.conninfo import ConnInfo
from trueup.db.connection import Connection, connect, named_errors
from trueup.errors import Unverifiable

PINNED: tuple[tuple[LiteralString, LiteralString], ...] = (
    ("search_path", ""),
    ("client_encoding", "UTF8"),
    ("timezone", "UTC"),
    ("datestyle", "ISO, YMD"),
    ("intervalstyle", "postgres"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("xmloption", "content"),
    ("quote_all_identifiers", "off"),
    ("row_security", "off"),
    ("jit", "off"),
    ("enable_sort", "off"),
    ("lock_timeout", "30s"),
)
"""`row_security = off` makes a query fail where a policy would hide rows; `enable_sort = off` keeps grouping by bucket
in a hash table instead of sorting whole rows."""
GUARDED: tuple[tuple[LiteralString, LiteralString], ...] = (
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "60s"),
)
"""What ends the server's process for us when our machine is gone."""
WATCHED = "case when version() ~ 'linux' then set_config('client_connection_check_interval', '1s', true) end"
"""Ends a statement within a second of its client's end, however that came; on other systems a server may refuse it."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Is one database as it was at one moment, as long as its context lasts."""

    conninfo: ConnInfo
    connection: Connection
    server_version: int
    """As the server counts it: 180004 is 18.4."""
    database: str
    user: str
    identity: str
    """Equal for two snapshots exactly when both read the same database of the same running server."""
    exported: str = ""
    """By this name other sessions of the server see exactly the same, as long as this one lasts."""

    def rows(self, query: Any, parameters: Any = None) -> list[tuple[Any, ...]]:
        """Return all rows of a query.

        Raises:
            RowsHidden, PermissionMissing, Disconnected: see `trueup.errors`.
        """
        with named_errors(self.conninfo):
            return self.connection.execute(query, parameters).fetchall()


@contextmanager
def snapshot(conninfo: ConnInfo, *, exported: str | None = None) -> Iterator[Snapshot]:
    """Hold one REPEATABLE READ READ ONLY transaction; settings are local to it, so that poolers are safe.

    It sees the database as it is now, or exactly as the snapshot does that is `exported` under that name.

    Raises:
        ConnectionFailed: the database can't be reached.
        Unverifiable: the exported snapshot has ended.
    """
    connection = connect(conninfo)
    # Hardly any text is sent twice, and those that were sent would be kept for it.
    connection.prepare_threshold = None
    try:
        with named_errors(conninfo):
            connection.execute("begin transaction isolation level repeatable read, read only")
            if exported:
                _join(connection, exported, conninfo)
            settings = PINNED + GUARDED
            pinned = ", ".join("set_config(%s, %s, true)" for _ in settings)
            connection.execute(f"select {WATCHED}, {pinned}", [text for pair in settings for text in pair])
            identity = connection.execute(
                "select current_setting('server_version_num')::int, d.datname, current_user::text,"
                " concat_ws('/', pg_postmaster_start_time()::text, d.oid), pg_export_snapshot()"
                " from pg_database d where d.datname = current_database()"
            ).fetchone()
            assert identity
        yield Snapshot(conninfo, connection, *identity)
    finally:
        connection.close()


def _join(connection: Connection, exported: str, conninfo: ConnInfo) -> None:
    try:
        connection.execute(sql.SQL("set transaction snapshot {}").format(sql.Literal(exported)))
    except (psycopg.errors.InvalidParameterValue, psycopg.errors.UndefinedObject):
        raise Unverifiable(f"the snapshot of {conninfo} that several connections share has ended") from None
