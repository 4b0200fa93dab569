"""Core and ORM on the driver that trueup uses, with statements built once and the engine's pool."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from typing import Any

from clients import DATA, GIVEN, KEY, Client, as_mapping
from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Identity,
    Numeric,
    Text,
    bindparam,
    create_engine,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from contenders.splitting import write_good_rows
from trueup.conninfo import ConnInfo


class Base(DeclarativeBase):
    pass


class Entity(Base):
    __tablename__ = "clients"

    company_id: Mapped[int]
    phone: Mapped[str] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Text)
    visits: Mapped[int]
    spent: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    prefs: Mapped[Any] = mapped_column(JSONB)
    seen_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), onupdate=func.now()
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)


table = Entity.__table__
BY_COMPANY = table.c.company_id == bindparam("company")
BY_KEY = BY_COMPANY & (table.c.phone == bindparam("number"))
FIND_ONE, FIND_MANY = select(table).where(BY_KEY), select(table).where(BY_COMPANY)


def upsertion(into: Any) -> Any:
    statement = insert(into)
    changes = {name: statement.excluded[name] for name in DATA}
    return statement.on_conflict_do_update(index_elements=list(KEY), set_={**changes, "updated_at": func.now()})


UPSERT = upsertion(table)
UPSERT_ONE = UPSERT.values({name: bindparam(name) for name in GIVEN}).returning(*table.c)


def engine_of(conninfo: ConnInfo) -> Any:
    return create_engine("postgresql+psycopg://", connect_args=dict(conninfo.parameters))


class Core:
    name = "SQLAlchemy Core"
    distribution = "sqlalchemy"

    def __init__(self, conninfo: ConnInfo) -> None:
        self.engine = engine_of(conninfo)
        self.autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.connection: Any = None

    def close(self) -> None:
        self.engine.dispose()

    def find_one(self, company_id: int, phone: str) -> Client:
        with self.autocommit.connect() as connection:
            row = connection.execute(FIND_ONE, {"company": company_id, "number": phone}).one()
        return Client(**row._mapping)

    def find_many(self, company_id: int) -> list[Client]:
        with self.autocommit.connect() as connection:
            rows = connection.execute(FIND_MANY, {"company": company_id}).all()
        return [Client(**row._mapping) for row in rows]

    def upsert(self, row: Client) -> Client:
        with self.autocommit.connect() as connection:
            return Client(**connection.execute(UPSERT_ONE, as_mapping(row)).one()._mapping)

    def two_upserts(self, first: Client, second: Client) -> None:
        with self.engine.begin() as connection:
            for row in (first, second):
                Client(**connection.execute(UPSERT_ONE, as_mapping(row)).one()._mapping)

    def bulk_upsert(self, rows: Sequence[Client]) -> None:
        with self.engine.begin() as connection:
            connection.execute(UPSERT, [as_mapping(row) for row in rows])

    def write_batch(self, rows: Sequence[dict[str, Any]]) -> None:
        self.connection.execute(UPSERT, rows)

    def savepoint(self) -> AbstractContextManager[object]:
        return self.connection.begin_nested()

    def write_good_rows(self, rows: Sequence[Client]) -> int:
        with self.engine.begin() as self.connection:
            return write_good_rows(self, [as_mapping(row) for row in rows])


class Orm(Core):
    name = "SQLAlchemy ORM"

    def find_one(self, company_id: int, phone: str) -> Entity:
        with Session(self.autocommit) as session:
            return session.scalars(ENTITIES.where(BY_KEY), {"company": company_id, "number": phone}).one()

    def find_many(self, company_id: int) -> list[Entity]:
        with Session(self.autocommit) as session:
            return list(session.scalars(ENTITIES.where(BY_COMPANY), {"company": company_id}))

    def upsert(self, row: Client) -> Entity:
        with Session(self.autocommit) as session:
            return session.scalars(ENTITY_UPSERT, as_mapping(row)).one()

    def two_upserts(self, first: Client, second: Client) -> None:
        with Session(self.engine) as session, session.begin():
            for row in (first, second):
                session.scalars(ENTITY_UPSERT, as_mapping(row)).one()

    def bulk_upsert(self, rows: Sequence[Client]) -> None:
        with Session(self.engine) as session, session.begin():
            session.execute(ENTITY_BULK, [as_mapping(row) for row in rows])

    def write_batch(self, rows: Sequence[dict[str, Any]]) -> None:
        self.connection.execute(ENTITY_BULK, rows)

    def write_good_rows(self, rows: Sequence[Client]) -> int:
        with Session(self.engine) as self.connection, self.connection.begin():
            return write_good_rows(self, [as_mapping(row) for row in rows])


ENTITIES = select(Entity)
ENTITY_BULK = upsertion(Entity)
ENTITY_UPSERT = ENTITY_BULK.returning(Entity)
