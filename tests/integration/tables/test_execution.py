"""Prepared statements: one a shape, and no error when the server forgets them or their tables change."""

from contextlib import suppress
from dataclasses import replace

import pytest
from tests.integration.tables.conftest import Client, Clients

from trueup.conninfo import ConnInfo
from trueup.db import Connection, Database
from trueup.errors import DatabaseError, Duplicate, SchemaMismatch, UsageError
from trueup.settings import DatabaseSettings
from trueup.tables import execution, gte, in_

PREPARED = "select statement from pg_prepared_statements where name like 'trueup%'"


def prepared(db: Database) -> list[str]:
    with db.connection() as connection:
        return [statement for (statement,) in connection.execute(PREPARED).fetchall()]


def test_values_of_any_size_share_one_prepared_statement(clients: Clients, db: Database):
    """psycopg types an int by its value, so that one text becomes three prepared statements."""
    for value in [1, 1 << 20, 1 << 40, -1] * 5:
        clients.find_one(company_id=value, phone="x")
        clients.count(company_id=value, phone=in_(["a"] * (value % 7 + 1)), visits=gte(0))

    assert len(prepared(db)) == 2


def test_statement_that_the_server_forgot_is_sent_again(clients: Clients, db: Database):
    for _ in range(10):
        clients.find_one(company_id=7, phone="1")
    with db.connection() as connection:
        connection.execute("deallocate all")

    assert clients.find_one(company_id=7, phone="1") is None


def test_statement_whose_table_changed_is_sent_again(clients: Clients, db: Database, observer: Connection):
    clients.insert(Client(phone="1", visits=3))
    for _ in range(10):
        clients.find_one(company_id=7, phone="1")
    observer.execute("alter table clients alter column visits type bigint")

    for _ in range(10):
        assert clients.find_one(company_id=7, phone="1").visits == 3  # type: ignore[union-attr]


def test_in_a_transaction_a_changed_table_is_an_error_and_the_next_one_works(
    clients: Clients, db: Database, observer: Connection
):
    for _ in range(10):
        clients.find_one(company_id=7, phone="1")
    observer.execute("alter table clients alter column visits type bigint")

    with pytest.raises(DatabaseError), db.transaction():
        clients.find_one(company_id=7, phone="1")
    with db.transaction():
        assert clients.find_one(company_id=7, phone="1") is None


def test_connection_keeps_a_bounded_number_of_statements(
    clients: Clients, db: Database, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(execution, "KEPT_STATEMENTS", 3)

    for _ in range(10):
        for name in ("phone", "name", "visits", "id", "spent"):
            clients.find_many(company_id=7, order_by=name, limit=1)
        for _ in range(10):
            clients.count(company_id=7)

    assert len(prepared(db)) <= 3


def test_behind_a_pooler_nothing_is_prepared(clients: Clients, database: ConnInfo):
    with Database(replace(DatabaseSettings(conninfo=database), pooler=True)) as db:
        mine = Clients(db)
        for _ in range(20):
            mine.upsert(Client(phone="1", name="x"))

        assert prepared(db) == []


def test_stream_and_bulk_leave_nothing_behind_on_the_connection(clients: Clients, db: Database):
    clients.bulk_upsert([{"company_id": 7, "phone": "1", "spent": -1}, Client(phone="2")], partial=True)
    with clients.stream(company_id=7) as rows:
        list(rows)

    with db.connection() as connection:
        left = connection.execute(
            "select (select count(*) from pg_proc where proname = 'trueup_probe'), (select count(*) from pg_cursors)"
        ).fetchone()
    assert left == (0, 0)


def test_error_is_named_and_the_connection_lives(clients: Clients, db: Database, observer: Connection):
    observer.execute("drop table clients")

    for _ in range(3):
        with pytest.raises(SchemaMismatch):
            clients.count(company_id=7)

    observer.execute("create table clients (company_id bigint)")
    assert clients.count(company_id=7) == 0


def test_pipeline_mode_is_refused(clients: Clients, db: Database):
    with pytest.raises(UsageError, match="pipeline mode"), db.transaction(), db.connection() as connection:  # noqa: SIM117
        with connection.pipeline():
            clients.count(company_id=7)


def test_client_encoding_other_than_utf8_is_refused(clients: Clients, database: ConnInfo):
    latin = database.with_parameters(client_encoding="latin1")

    with Database(DatabaseSettings(conninfo=latin)) as db, pytest.raises(UsageError, match="client_encoding"):
        Clients(db).count(company_id=7)


def test_rolled_back_savepoint_leaves_what_repositories_have_prepared(clients: Clients, db: Database) -> None:
    """The driver answers a ROLLBACK with DEALLOCATE ALL once it has prepared something itself."""
    with db.transaction():
        for _ in range(8):
            clients.find_one(company_id=7, phone="1")
            with db.connection() as connection:
                connection.execute("select count(*) from clients")

        with suppress(Duplicate), db.transaction():
            raise Duplicate("")

        assert clients.find_one(company_id=7, phone="1") is None
        with db.connection() as connection:
            connection.execute("select count(*) from clients")
            names = connection.execute("select name from pg_prepared_statements", prepare=False).fetchall()
    assert [name for (name,) in names if name.startswith("_pg3_")] == []
