"""Trueup as a service uses it: a repository on a pool."""

from collections.abc import Sequence

from clients import Client, Clients

from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.settings import DatabaseSettings
from trueup.tables import Upserted, Written


class Trueup:
    name = "trueup"
    distribution = "trueup"

    def __init__(self, conninfo: ConnInfo) -> None:
        self.db = Database(DatabaseSettings(conninfo=conninfo))
        self.clients = Clients(self.db)

    def close(self) -> None:
        self.db.close()

    def find_one(self, company_id: int, phone: str) -> Client | None:
        return self.clients.find_one(company_id=company_id, phone=phone)

    def find_many(self, company_id: int) -> list[Client]:
        return self.clients.find_many(company_id=company_id)

    def upsert(self, row: Client) -> Client:
        return self.upsert_and_tell(row).row

    def upsert_and_tell(self, row: Client) -> Upserted[Client]:
        return self.clients.upsert(row)

    def two_upserts(self, first: Client, second: Client) -> None:
        with self.db.transaction(lock_timeout_s=5, statement_timeout_s=60):
            self.clients.upsert(first)
            self.clients.upsert(second)

    def bulk_upsert(self, rows: Sequence[Client]) -> Written:
        return self.clients.bulk_upsert(rows)

    def sync(self, rows: Sequence[Client]) -> Written:
        return self.clients.bulk_upsert(rows, mode="sync")

    def write_good_rows(self, rows: Sequence[Client]) -> int:
        return len(self.clients.bulk_upsert(rows, partial=True).rejected)
