"""The driver as its documentation shows it: one connection, class_row, executemany."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import psycopg
from clients import ALL, DATA, GIVEN, Client, values
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

from contenders.splitting import write_good_rows
from trueup.conninfo import ConnInfo

FIND = f"select {', '.join(ALL)} from clients where company_id = %s"
UPSERT = (
    f"insert into clients ({', '.join(GIVEN)}) values ({', '.join(['%s'] * len(GIVEN))})"
    " on conflict (company_id, phone) do update set "
    + ", ".join(f"{name} = excluded.{name}" for name in DATA)
    + ", updated_at = now()"
)
RETURNING = f" returning {', '.join(ALL)}"
LIMITS = "set local lock_timeout = 5000", "set local statement_timeout = 60000", "set local transaction_timeout = 60000"


def parameters(row: Client) -> tuple[Any, ...]:
    return tuple(Jsonb(value) if isinstance(value, dict) else value for value in values(row))


class Psycopg:
    name = "psycopg class_row"
    distribution = "psycopg"

    def __init__(self, conninfo: ConnInfo) -> None:
        self.connection = psycopg.connect(conninfo.reveal(), autocommit=True, row_factory=class_row(Client))

    def close(self) -> None:
        self.connection.close()

    def find_one(self, company_id: int, phone: str) -> Client | None:
        return self.connection.execute(FIND + " and phone = %s", (company_id, phone)).fetchone()

    def find_many(self, company_id: int) -> list[Client]:
        return self.connection.execute(FIND, (company_id,)).fetchall()

    def upsert(self, row: Client) -> Client | None:
        return self.connection.execute(UPSERT + RETURNING, parameters(row)).fetchone()

    def two_upserts(self, first: Client, second: Client) -> None:
        with self.connection.transaction():
            self.upsert(first)
            self.upsert(second)

    def two_upserts_with_limits(self, first: Client, second: Client) -> None:
        with self.connection.transaction():
            for limit in LIMITS:
                self.connection.execute(limit)
            self.upsert(first)
            self.upsert(second)

    def bulk_upsert(self, rows: Sequence[Client]) -> None:
        with self.connection.transaction():
            self.write_batch([parameters(row) for row in rows])

    def write_batch(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self.connection.cursor().executemany(UPSERT, rows)

    def savepoint(self) -> AbstractContextManager[object]:
        return self.connection.transaction()

    def write_good_rows(self, rows: Sequence[Client]) -> int:
        with self.connection.transaction():
            return write_good_rows(self, [parameters(row) for row in rows])


class PooledPsycopg:
    name = "psycopg_pool + class_row"
    distribution = "psycopg-pool"

    def __init__(self, conninfo: ConnInfo) -> None:
        self.pool = ConnectionPool(
            conninfo.reveal(), min_size=1, max_size=3, kwargs={"row_factory": class_row(Client)}, open=True
        )

    def close(self) -> None:
        self.pool.close()

    def find_one(self, company_id: int, phone: str) -> Client | None:
        with self.pool.connection() as connection:
            return connection.execute(FIND + " and phone = %s", (company_id, phone)).fetchone()

    def find_many(self, company_id: int) -> list[Client]:
        with self.pool.connection() as connection:
            return connection.execute(FIND, (company_id,)).fetchall()

    def upsert(self, row: Client) -> Client | None:
        with self.pool.connection() as connection:
            return connection.execute(UPSERT + RETURNING, parameters(row)).fetchone()

    def two_upserts(self, first: Client, second: Client) -> None:
        with self.pool.connection() as connection:
            connection.execute(UPSERT + RETURNING, parameters(first)).fetchone()
            connection.execute(UPSERT + RETURNING, parameters(second)).fetchone()
