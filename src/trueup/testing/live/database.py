"""A live database as a test writes to it: nothing is committed unless all of it is test data.

Every transaction is looked at before its COMMIT: each row that it wrote has to carry the marker of its table, and each
row that it changed or deleted has to have been test data before, as another session still sees it.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from time import monotonic
from typing import Any, Unpack

from psycopg import sql

from trueup.db import Connection, Database
from trueup.db.block import Block, Choices, Options, State, current
from trueup.db.transaction import Transaction
from trueup.errors import Refused
from trueup.settings import DatabaseSettings
from trueup.tables import Table
from trueup.tables.markers.marking import marking_of

WRITTEN = files("trueup.testing.live").joinpath("written.sql").read_bytes()
SINCE = sql.SQL("(t.{}::text::bigint - %(number)s %% 4294967296 + 4294967296) %% 4294967296")
"""How many transactions after ours the one began of which a row has the lower half of its number."""
UNMARKED = sql.SQL(
    "with {journals}\n"
    "select count(*) from {table} as t, lateral (select {since_xmin} as since) as a\n"
    "where case when since < 2147483648\n"
    "    then pg_catalog.pg_xact_status((%(number)s + since)::text::xid8) = 'in progress' end\n"
    "    and {marked} is not true"
)
"""A row that this transaction sees and that is of one in progress is of this one, savepoints included."""
TOUCHED = sql.SQL(
    "with {journals},\n"
    "last as materialized (select pg_catalog.pg_current_xact_id()::text::bigint as number)\n"
    "select distinct %(number)s + since\n"
    "from {table} as t, last, lateral (select {since_xmax} as since) as a\n"
    "where case when t.xmax <> '0'::xid and since < 2147483648 and %(number)s + since < last.number\n"
    "    then pg_catalog.pg_xact_status((%(number)s + since)::text::xid8) = 'in progress' end\n"
    "    and ({marked} and {made}) is not true"
)
"""The transactions in progress that change, delete or lock rows that are no test data, as another session sees them."""
ENDED = "select count(*) from unnest(%s::bigint[]) as number where pg_xact_status(number::text::xid8) = 'in progress'"
PATIENCE_S = 2.0
"""How long somebody else's transaction may take to end: until then it might be a savepoint of ours."""
POLL_S = 0.02

Counts = Mapping[str, tuple[int, int]]


class LiveDatabase(Database):
    """Is a `Database` that stores test data and nothing else."""

    def __init__(self, settings: DatabaseSettings, tables: Iterable[Table[Any]]) -> None:
        super().__init__(settings)
        self.marking = marking_of(tables, has_journal=True)

    def transaction(self, **options: Unpack[Choices]) -> Block:
        """Do what is in the block as a whole or not at all.

        Raises:
            Refused: it wrote, changed or deleted rows that aren't test data; nothing is stored.
        """
        if current(self.pool) is not None:
            return super().transaction(**options)
        return WatchedTransaction(self, Options(**options))

    @contextmanager
    def connection(self) -> Iterator[Connection]:  # type: ignore[override]  # a context manager all the same
        """Give the connection of this thread's transaction, or of one around the block."""
        if current(self.pool) is not None:
            with super().connection() as connection:
                yield connection
        else:
            with self.transaction() as transaction:
                yield transaction.connection


class WatchedTransaction(Transaction):
    """Is a transaction that is looked at before it is committed."""

    before: Counts

    def __init__(self, database: LiveDatabase, options: Options) -> None:
        super().__init__(database.pool, options)
        self.database = database

    def begin(self) -> None:
        """Begin, and note what the session has written before."""
        super().begin()
        self.before = written(self.connection)

    def end(self) -> None:
        """Commit, if everything that was written is test data.

        Raises:
            Refused: with each table and number of rows; nothing is stored.
        """
        if self.connection.is_in_transaction and self.connection.failure is None:
            try:
                check_written(self.database, self)
            except BaseException as error:
                self.state = State.ROLLED_BACK
                self.undo(error)
                raise
        super().end()


def written(connection: Connection) -> Counts:
    """Return how many rows of each table the session has inserted, and updated or deleted."""
    return {name: (inserted, changed) for name, inserted, changed in connection.execute(WRITTEN).fetchall()}


def check_written(database: LiveDatabase, transaction: WatchedTransaction) -> None:
    """Raise Refused if a transaction has touched rows that aren't test data."""
    connection, before = transaction.connection, transaction.before
    found = []
    for name, (inserted, changed) in written(connection).items():
        earlier = before.get(name, (0, 0))
        if (inserted, changed) == earlier:
            continue
        table = database.marking.by_name.get(name)
        if table is None:
            found.append(f"rows of {name}, of which no contract with a marker is known")
        elif (unmarked := int(ask(connection, database, table, UNMARKED, transaction.xid)[0][0])) > 0:
            found.append(f"{unmarked} rows of {name} without its marker")
        elif changed > earlier[1] and has_touched_others(database, table, transaction.xid):
            found.append(f"rows of {name} changed or deleted that no test had made")
    if found:
        raise Refused(f"a test on a live database stores test data only, so nothing was stored: {'; '.join(found)}")


def has_touched_others(database: LiveDatabase, table: Table[Any], number: int | None) -> bool:
    """Say whether a transaction has changed, deleted or locked rows that are no test data.

    Another session sees which transactions do so. Those of other people end; ours, and its savepoints, can't meanwhile.
    """
    connection = database.pool.take()
    try:
        numbers = [each for (each,) in ask(connection, database, table, TOUCHED, number)]
        deadline = monotonic() + PATIENCE_S
        while numbers and number not in numbers and monotonic() < deadline:
            row = connection.execute(ENDED, [numbers]).fetchone()
            if row == (0,):
                return False
            database.pool.stop.wait(POLL_S)
        return bool(numbers)
    finally:
        database.pool.give_back(connection)


def ask(
    connection: Connection, database: LiveDatabase, table: Table[Any], query: sql.SQL, number: int | None
) -> list[tuple[Any, ...]]:
    """Return the rows of one of the queries."""
    marking = database.marking
    statement = query.format(
        journals=marking.journals(table),
        table=table.identifier,
        marked=marking.is_marked(table, "t"),
        made=marking.is_made(table, "t"),
        since_xmin=SINCE.format(sql.Identifier("xmin")),
        since_xmax=SINCE.format(sql.Identifier("xmax")),
    )
    return connection.execute(statement, {**marking.parameters, "number": number}).fetchall()
