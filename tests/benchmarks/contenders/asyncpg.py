"""The asynchronous driver: one connection or its pool, prepared statements of its own accord."""

import json
from collections.abc import Sequence
from typing import Any

import asyncpg
from clients import ALL, DATA, GIVEN, Client, values
from race import LOOP

from contenders.splitting import Deadline
from trueup.conninfo import ConnInfo

FIND = f"select {', '.join(ALL)} from clients where company_id = $1"
UPSERT = (
    f"insert into clients ({', '.join(GIVEN)}) values ({', '.join(f'${i}' for i in range(1, len(GIVEN) + 1))})"
    " on conflict (company_id, phone) do update set "
    + ", ".join(f"{name} = excluded.{name}" for name in DATA)
    + ", updated_at = now()"
)
RETURNING = f" returning {', '.join(ALL)}"


async def read_json(connection: Any) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


def address(conninfo: ConnInfo) -> dict[str, Any]:
    given = conninfo.parameters
    return {"host": given["host"], "port": int(given["port"]), "user": given["user"], "database": given["dbname"]}


class Asyncpg:
    name = "asyncpg"
    distribution = "asyncpg"

    def __init__(self, conninfo: ConnInfo) -> None:
        self.connection = LOOP.run_until_complete(self.connect(conninfo))

    async def connect(self, conninfo: ConnInfo) -> Any:
        connection = await asyncpg.connect(**address(conninfo))
        await read_json(connection)
        return connection

    def close(self) -> None:
        LOOP.run_until_complete(self.connection.close())

    async def find_one(self, company_id: int, phone: str) -> Client:
        return Client(**await self.connection.fetchrow(FIND + " and phone = $2", company_id, phone))

    async def find_many(self, company_id: int) -> list[Client]:
        return [Client(**record) for record in await self.connection.fetch(FIND, company_id)]

    async def upsert(self, row: Client) -> Client:
        return Client(**await self.connection.fetchrow(UPSERT + RETURNING, *values(row)))

    async def two_upserts(self, first: Client, second: Client) -> None:
        async with self.connection.transaction():
            await self.upsert(first)
            await self.upsert(second)

    async def bulk_upsert(self, rows: Sequence[Client]) -> None:
        await self.connection.executemany(UPSERT, [values(row) for row in rows])

    async def write_good_rows(self, rows: Sequence[Client]) -> int:
        async with self.connection.transaction():
            return await self.split([values(row) for row in rows], Deadline())

    async def split(self, rows: Sequence[tuple[Any, ...]], deadline: Deadline) -> int:
        deadline.check()
        try:
            async with self.connection.transaction():
                await self.connection.executemany(UPSERT, rows)
        except asyncpg.PostgresError:
            if len(rows) == 1:
                return 1
            middle = len(rows) // 2
            return await self.split(rows[:middle], deadline) + await self.split(rows[middle:], deadline)
        return 0


class PooledAsyncpg(Asyncpg):
    name = "asyncpg pool"

    async def connect(self, conninfo: ConnInfo) -> Any:
        return await asyncpg.create_pool(**address(conninfo), min_size=1, max_size=3, init=read_json)

    async def two_upserts(self, first: Client, second: Client) -> None:
        async with self.connection.acquire() as connection, connection.transaction():
            for row in (first, second):
                Client(**await connection.fetchrow(UPSERT + RETURNING, *values(row)))
