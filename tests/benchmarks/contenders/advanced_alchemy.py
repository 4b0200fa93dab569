"""Repositories on SQLAlchemy's ORM."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from advanced_alchemy.repository import SQLAlchemySyncRepository
from clients import KEY, Client, as_mapping
from sqlalchemy.orm import Session

from contenders.splitting import write_good_rows
from contenders.sqlalchemy import Entity, engine_of
from trueup.conninfo import ConnInfo

BATCH_ROWS = 1000
"""More rows by a composite key make an expression that is too deep for the server's stack."""


class Entities(SQLAlchemySyncRepository[Entity]):
    model_type = Entity


class AdvancedAlchemy:
    name = "advanced-alchemy"
    distribution = "advanced-alchemy"

    def __init__(self, conninfo: ConnInfo) -> None:
        self.engine = engine_of(conninfo)
        self.autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.session: Any = None

    def close(self) -> None:
        self.engine.dispose()

    def find_one(self, company_id: int, phone: str) -> Entity:
        with Session(self.autocommit) as session:
            return Entities(session=session).get_one(company_id=company_id, phone=phone)

    def find_many(self, company_id: int) -> list[Entity]:
        with Session(self.autocommit) as session:
            return list(Entities(session=session).list(company_id=company_id))

    def upsert(self, row: Client) -> Entity:
        with Session(self.engine, expire_on_commit=False) as session:
            repository = Entities(session=session, auto_commit=True)
            return repository.upsert(Entity(**as_mapping(row)), match_fields=list(KEY))

    def two_upserts(self, first: Client, second: Client) -> None:
        with Session(self.engine) as session, session.begin():
            for row in (first, second):
                Entities(session=session).upsert(Entity(**as_mapping(row)), match_fields=list(KEY))

    def bulk_upsert(self, rows: Sequence[Client]) -> None:
        with Session(self.engine) as self.session, self.session.begin():
            self.write_batch(rows)

    def write_batch(self, rows: Sequence[Client]) -> None:
        repository = Entities(session=self.session)
        for begin in range(0, len(rows), BATCH_ROWS):
            entities = [Entity(**as_mapping(row)) for row in rows[begin : begin + BATCH_ROWS]]
            repository.upsert_many(entities, match_fields=list(KEY))

    def savepoint(self) -> AbstractContextManager[object]:
        return self.session.begin_nested()

    def write_good_rows(self, rows: Sequence[Client]) -> int:
        with Session(self.engine) as self.session, self.session.begin():
            return write_good_rows(self, rows)
