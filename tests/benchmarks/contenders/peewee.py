"""Peewee on the driver that trueup uses, in autocommit with its connection kept."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import peewee
from clients import DATA, KEY, Client, as_mapping
from playhouse.postgres_ext import ArrayField, BinaryJSONField, DateTimeTZField, Psycopg3Database

from contenders.splitting import write_good_rows
from trueup.conninfo import ConnInfo

BATCH_ROWS = 1000
database = Psycopg3Database(None)


class Entity(peewee.Model):
    id = peewee.BigAutoField(primary_key=True)
    company_id = peewee.IntegerField()
    phone = peewee.TextField()
    name = peewee.TextField(null=True)
    visits = peewee.IntegerField()
    spent = peewee.DecimalField(max_digits=12, decimal_places=2)
    tags = ArrayField(peewee.TextField)
    prefs = BinaryJSONField()
    seen_at = DateTimeTZField(null=True)
    created_at = DateTimeTZField(constraints=[peewee.SQL("default now()")])
    updated_at = DateTimeTZField(constraints=[peewee.SQL("default now()")])

    class Meta:
        database = database
        table_name = "clients"


def upsertion(query: Any) -> Any:
    columns = [getattr(Entity, name) for name in DATA]
    return query.on_conflict(
        conflict_target=[getattr(Entity, name) for name in KEY],
        preserve=columns,
        update={Entity.updated_at: peewee.fn.now()},
    )


class Peewee:
    name = "peewee"
    distribution = "peewee"

    def __init__(self, conninfo: ConnInfo) -> None:
        given = conninfo.parameters
        place = {"user": given["user"], "host": given["host"], "port": int(given["port"])}
        database.init(given["dbname"], prefer_psycopg3=True, **place)  # Else another driver that is installed is taken.
        database.connect(reuse_if_open=True)

    def close(self) -> None:
        database.close()

    def find_one(self, company_id: int, phone: str) -> Entity:
        return Entity.get((Entity.company_id == company_id) & (Entity.phone == phone))

    def find_many(self, company_id: int) -> list[Entity]:
        return list(Entity.select().where(Entity.company_id == company_id))

    def upsert(self, row: Client) -> Entity:
        return next(iter(upsertion(Entity.insert(as_mapping(row))).returning(Entity).execute()))

    def two_upserts(self, first: Client, second: Client) -> None:
        with database.atomic():
            self.upsert(first)
            self.upsert(second)

    def bulk_upsert(self, rows: Sequence[Client]) -> None:
        with database.atomic():
            self.write_batch(rows)

    def write_batch(self, rows: Sequence[Client]) -> None:
        for begin in range(0, len(rows), BATCH_ROWS):
            batch = [as_mapping(row) for row in rows[begin : begin + BATCH_ROWS]]
            upsertion(Entity.insert_many(batch)).execute()

    def savepoint(self) -> AbstractContextManager[object]:
        return database.atomic()

    def write_good_rows(self, rows: Sequence[Client]) -> int:
        with database.atomic():
            return write_good_rows(self, rows)
