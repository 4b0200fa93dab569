"""The rows of one table, read and written one statement at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import count as counter
from typing import Any, Generic, Self, TypeVar

from trueup import observe
from trueup.db.connection import Connection
from trueup.errors import UsageError
from trueup.tables import statements
from trueup.tables.bulk import Written, bulk_upsert
from trueup.tables.conditions import Operator, Parameters, Shape, encode_row, parse
from trueup.tables.connections import Connections
from trueup.tables.contract import Table
from trueup.tables.errors import ContractError, StatementRefused
from trueup.tables.execution import execute, fetch
from trueup.tables.ordering import OnDuplicate
from trueup.tables.orders import Keyset, Order, Orders, parse_after, parse_order
from trueup.tables.rows import maker_of, written
from trueup.tables.statements import Statement
from trueup.tables.tenants import Row, check_tenant, row_with_tenant, with_tenant
from trueup.tables.upserting import Upserted, upsert
from trueup.tables.writer import Mode

R = TypeVar("R")

CURSORS = counter(1)


class Repository(Generic[R]):
    """Reads and writes the rows of one table.

    Conditions are given by name, as values or operators: `find_many(company_id=7, starts_at=gte(t))`; for a column that
    is named like an option, as a mapping: `find_many({"limit": 3})`. All of them must hold.

    A table with a tenant column is reached only with its tenant: in the conditions of each call, or bound to the
    repository (`Clients(db, company_id=7)`), which adds it to every statement and refuses any other.
    """

    table: Table[R]

    def __init__(self, db: Connections, table: Table[R] | None = None, **tenant: object) -> None:
        if table is not None:
            self.table = table
        elif not hasattr(self, "table"):
            raise ContractError(f"{type(self).__name__} declares no table: set `table = Table(…)` in its class")
        self.db = db
        self.make = maker_of(self.table)
        self.tenant: Mapping[str, object] = {}
        if tenant:
            self.tenant = check_tenant(self.table, tenant)

    def __repr__(self) -> str:
        bound = f", bound to one {self.table.tenant}" if self.tenant else ""
        return f"{type(self).__name__}({self.table.name}{bound})"

    def for_tenant(self, tenant: object) -> Self:
        """Return the same repository bound to one tenant."""
        if self.table.tenant is None:
            raise StatementRefused(f"{self.table.name}: its contract has no tenant column")
        return type(self)(self.db, self.table, **{self.table.tenant: tenant})

    # -- reading ---------------------------------------------------------------------------------------------------

    def find_one(
        self, where: Row | None = None, /, *, order_by: Sequence[str | Order] | str = (), **conditions: object
    ) -> R | None:
        """Return the row that matches, None if there is none, in one round trip.

        If several match, it is the first in `order_by`, or by primary key.

        Raises:
            StatementRefused: see `trueup.tables.errors`; nothing was sent.
        """
        shape, parameters = self.conditions(where, conditions)
        orders = () if not order_by and is_unique(self.table, shape) else parse_order(self.table, order_by)
        rows = self.fetch("find_one", statements.select(self.table, shape, orders, one=True), parameters)
        return rows[0] if rows else None

    def find_many(
        self,
        where: Row | None = None,
        /,
        *,
        order_by: Sequence[str | Order] | str = (),
        limit: int | None = None,
        offset: int | None = None,
        after: R | Row | None = None,
        **conditions: object,
    ) -> list[R]:
        """Return the rows that match, in the order asked for.

        `order_by` takes names (`"-starts_at"` is descending) and `asc`/`desc`; NULLs come last unless told otherwise,
        and the primary key breaks ties. With `limit`, `offset` or `after` alone the order is that of the primary key.
        `after` is the last row of the page before: the result begins with the row that follows it.

        Raises:
            StatementRefused: see `trueup.tables.errors`; nothing was sent.
        """
        shape, parameters = self.conditions(where, conditions)
        is_page = limit is not None or offset is not None or after is not None
        orders: Orders = parse_order(self.table, order_by) if order_by or is_page else ()
        keyset: Keyset | None = None
        if after is not None:
            keyset, values = parse_after(self.table, orders, after)
            parameters += values
        for name, number in (("limit", limit), ("offset", offset)):
            if number is not None:
                parameters.append(b"%d" % check_rows(self.table, name, number))
        statement = statements.select(
            self.table, shape, orders, limit=limit is not None, offset=offset is not None, keyset=keyset
        )
        return self.fetch("find_many", statement, parameters)

    def count(self, where: Row | None = None, /, **conditions: object) -> int:
        """Return how many rows match."""
        shape, parameters = self.conditions(where, conditions)
        with observe.operation("tables", "count", self.table.name), self.db.connection() as connection:
            return int(fetch(connection, statements.count(self.table, shape), parameters, tuple)[0][0])

    def exists(self, where: Row | None = None, /, **conditions: object) -> bool:
        """Return whether any row matches."""
        shape, parameters = self.conditions(where, conditions)
        with observe.operation("tables", "exists", self.table.name), self.db.connection() as connection:
            return bool(fetch(connection, statements.exists(self.table, shape), parameters, tuple)[0][0])

    @contextmanager
    def stream(
        self,
        where: Row | None = None,
        /,
        *,
        order_by: Sequence[str | Order] | str = (),
        chunk_rows: int = 1000,
        **conditions: object,
    ) -> Iterator[Iterator[R]]:
        """Hold a cursor on the server: gives the rows that match, any number of them in the memory of `chunk_rows`.

        What its thread reads and writes within the block belongs to its transaction, which is idle between two chunks
        and ends when that takes longer than the idle-in-transaction timeout. Only that thread can read the rows.

        Raises:
            StatementRefused: see `trueup.tables.errors`; nothing was sent.
        """
        size = check_rows(self.table, "chunk_rows", chunk_rows, least=1)
        shape, parameters = self.conditions(where, conditions)
        orders: Orders = parse_order(self.table, order_by) if order_by else ()
        query = statements.select(self.table, shape, orders)
        declare, forward, close = statements.cursor(query, f"trueup_{next(CURSORS)}", size)
        with self.db.transaction(), self.db.connection() as holder:
            self.execute("stream", declare, parameters)
            yield self.chunks(holder, forward)
            self.execute("stream", close, [])

    def chunks(self, holder: Connection, forward: Statement) -> Iterator[R]:
        """Give the rows of a cursor to its end."""
        while rows := self.chunk(holder, forward):
            yield from rows

    def chunk(self, holder: Connection, forward: Statement) -> list[R]:
        """Return the next rows of a cursor."""
        with observe.operation("tables", "stream", self.table.name), self.db.connection() as connection:
            if connection is not holder:
                raise UsageError(f"{self.table.name}: the rows of a stream are read by the thread that holds it")
            return fetch(connection, forward, (), self.make)

    # -- writing ---------------------------------------------------------------------------------------------------

    def insert(self, row: R | Row) -> R:
        """Insert a row and return it as it is stored, defaults and generated columns included."""
        names, parameters = self.values(row)
        return self.fetch("insert", statements.insert(self.table, names), parameters)[0]

    def upsert(self, row: R | Row) -> Upserted[R]:
        """Insert a row, or update the one with its conflict key; return it as it is stored, and which it was.

        Only the columns that `row` sets are changed: UNSET leaves a column alone, None makes it NULL. A row that would
        stay as it is is not written; nor is anything when `row` sets nothing but the key of a row that exists.

        Raises:
            StatementRefused: the key is not complete; nothing was sent.
        """
        names, parameters = self.values(row)
        with observe.operation("tables", "upsert", self.table.name), self.db.connection() as connection:
            return upsert(connection, self.table, self.make, names, parameters)

    def bulk_upsert(
        self,
        rows: Iterable[R | Row],
        *,
        on_duplicate: OnDuplicate = "error",
        partial: bool = False,
        mode: Mode = "replace",
    ) -> Written:
        """Insert or update any number of rows, all or nothing, and return exact counts.

        Rows may set different columns. Those that share a key are an error, unless `on_duplicate` says which counts.
        Rows are written in the order of their keys: two whole calls whose rows set the same columns never deadlock;
        of two partial ones, one may end with Conflict.

        Args:
            rows: rows or mappings.
            on_duplicate: `error`, `first` or `last`.
            partial: write all rows but those that the server refuses, and return these with the reason.
            mode: `sync` looks for what differs before it writes, so that rows which stay as they are cost no log and
                no identity values; `replace` is faster where most rows change.

        Raises:
            StatementRefused: see `trueup.tables.errors`; nothing was sent.
        """
        with observe.operation("tables", "bulk_upsert", self.table.name):
            return bulk_upsert(
                self.db, self.table, self.tenant, rows, on_duplicate=on_duplicate, partial=partial, mode=mode
            )

    def update(self, changes: Row, where: Row | None = None, /, **conditions: object) -> list[R]:
        """Change columns of the rows that match, and return all of them as they are stored now.

        Raises:
            StatementRefused: there is no condition, or nothing to change; nothing was sent.
        """
        table = self.table
        names, values = written(table, changes)
        if not names:
            raise StatementRefused(f"{table.name}: update got nothing to change")
        if table.touch in names:
            raise StatementRefused(f"{table.name}.{table.touch}: every update sets it to now(); leave it out")
        if table.tenant in names and table.tenant is not None:
            raise StatementRefused(f"{table.name}.{table.tenant}: a row does not change its tenant")
        shape, parameters = self.some_conditions("update", where, conditions)
        parameters = [*encode_row(table, names, values), *parameters]
        return self.fetch("update", statements.update(table, names, shape), parameters)

    def delete(self, where: Row | None = None, /, **conditions: object) -> int:
        """Delete the rows that match, and return how many there were.

        Raises:
            StatementRefused: there is no condition; nothing was sent.
        """
        shape, parameters = self.some_conditions("delete", where, conditions)
        return self.execute("delete", statements.delete(self.table, shape), parameters)

    # -- what all of them do ---------------------------------------------------------------------------------------

    def fetch(self, call: str, statement: Statement, parameters: Parameters) -> list[R]:
        """Return the rows of a statement."""
        with observe.operation("tables", call, self.table.name), self.db.connection() as connection:
            return fetch(connection, statement, parameters, self.make)

    def execute(self, call: str, statement: Statement, parameters: Parameters) -> int:
        """Run a statement and return how many rows it touched."""
        with observe.operation("tables", call, self.table.name), self.db.connection() as connection:
            return execute(connection, statement, parameters)

    def conditions(self, where: Row | None, conditions: Row) -> tuple[Shape, Parameters]:
        """Return the conditions of a call, its tenant among them."""
        if where:
            conditions = joined(where, conditions)
        table = self.table
        if table.tenant is not None:
            conditions = with_tenant(table, table.tenant, self.tenant, conditions)
        return parse(table, conditions)

    def some_conditions(self, call: str, where: Row | None, conditions: Row) -> tuple[Shape, Parameters]:
        """Return the conditions of a call that must not reach every row."""
        if not where and not conditions:
            raise StatementRefused(f"{self.table.name}: {call} without a condition would reach every row")
        return self.conditions(where, conditions)

    def values(self, row: R | Row) -> tuple[tuple[str, ...], Parameters]:
        """Return the columns that a row sets and their parameters, its tenant among them."""
        table = self.table
        names, values = written(table, row)
        if table.tenant is not None:
            names, values = row_with_tenant(table, table.tenant, self.tenant, names, values)
        return names, encode_row(table, names, values)


def joined(where: Row, conditions: Row) -> Row:
    """Return the conditions given as a mapping and by name as one mapping."""
    if both := set(where) & set(conditions):
        raise StatementRefused(f"{', '.join(sorted(both))}: given twice; join two conditions of a column by &")
    return {**where, **conditions}


@lru_cache(statements.SHAPES)
def is_unique(table: Table[Any], shape: Shape) -> bool:
    """Say whether conditions name every column of a key by equality, so that one row matches at most."""
    named = {name for name, operator in shape if operator is Operator.EQ}
    return named.issuperset(table.primary_key) or named.issuperset(table.key)


def check_rows(table: Table[Any], option: str, number: object, *, least: int = 0) -> int:
    """Return a number of rows.

    Raises:
        StatementRefused: it is no int, or less than `least`.
    """
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number < 1 << 63:
        raise StatementRefused(f"{table.name}: {option} must be an int of at least {least}")
    return number
