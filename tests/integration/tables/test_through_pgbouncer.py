"""Repositories through a pooler in transaction mode: the same rows, and nothing prepared or left on a session."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from tests.integration.db.pgbouncer import PgBouncer
from tests.integration.db.pooling import nothing_of_the_session, own_server, pgbouncer, take_over
from tests.integration.tables import test_bulk, test_execution, test_reading, test_values, test_writing
from tests.integration.tables.conftest import Client, Clients

from trueup.conninfo import ConnInfo
from trueup.db import Database, connect
from trueup.servers import EmbeddedServer
from trueup.settings import DatabaseSettings

__all__ = ["nothing_of_the_session", "own_server", "pgbouncer"]

NUMBERS = itertools.count()
OWN = "it makes its own Database"
CLIENT = "it measures the client, which is the same"
PREPARED = "behind a pooler nothing is prepared"
DIRECT_ONLY = {
    "test_two_calls_over_the_same_keys_never_deadlock": OWN,
    "test_concurrent_calls_insert_every_key_once": OWN,
    "test_concurrent_upserts_of_fresh_keys_insert_each_once": OWN,
    "test_upsert_holds_against_rows_that_vanish": OWN,
    "test_without_the_right_to_temporary_functions_rows_are_split_from_here": OWN,
    "test_client_encoding_other_than_utf8_is_refused": OWN,
    "test_instants_come_back_in_utc_whatever_the_session": OWN,
    "test_values_of_any_size_share_one_prepared_statement": PREPARED,
    "test_statement_that_the_server_forgot_is_sent_again": PREPARED,
    "test_in_a_transaction_a_changed_table_is_an_error_and_the_next_one_works": PREPARED,
    "test_100000_rows_take_bounded_memory": CLIENT,
    "test_stream_takes_the_memory_of_a_chunk_however_many_rows_there_are": CLIENT,
}
LEFT = """
    select proname::text from pg_proc where pronamespace::regnamespace::text ~ '^pg_temp'
    union all select relname::text from pg_class where relnamespace::regnamespace::text ~ '^pg_temp'
"""
"""Temporary objects of any session: a session's own go by the same catalogs."""


@pytest.fixture
def database(own_server: EmbeddedServer) -> Iterator[ConnInfo]:
    """Return a database of its own, for the observer."""
    name = f"pooled_tables_{next(NUMBERS)}"
    conninfo = own_server.create_database(name)
    yield conninfo
    with connect(conninfo) as connection:
        left = connection.execute(LEFT).fetchall()
    own_server.drop_database(name)
    if left:
        pytest.fail(f"left on a session of the pooler: {left}", pytrace=False)


@pytest.fixture
def db(database: ConnInfo, pgbouncer: PgBouncer) -> Iterator[Database]:
    settings = DatabaseSettings(conninfo=pgbouncer.conninfo(database), pooler=True)
    with Database(settings) as db:
        yield db


for module in (test_bulk, test_execution, test_reading, test_values, test_writing):
    take_over(module, globals(), DIRECT_ONLY)
del module


def test_bulk_calls_of_many_clients_share_few_sessions(
    clients: Clients, database: ConnInfo, pgbouncer: PgBouncer
) -> None:
    """Over the same keys, with rows that are refused: each client's temporary function is gone before the next one."""
    rows = [Client(phone=str(number), spent=Decimal(-1 if number % 50 == 7 else 1)) for number in range(200)]
    settings = DatabaseSettings(conninfo=pgbouncer.conninfo(database), pooler=True, max_connections=3)

    def write(db: Database) -> tuple[int, int]:
        found = Clients(db).bulk_upsert(rows, partial=True)
        return found.inserted, len(found.rejected)

    with Database(settings) as one, Database(settings) as other, ThreadPoolExecutor(6) as threads:
        results = list(threads.map(write, [one, other] * 6))

    assert sum(inserted for inserted, _ in results) == 196
    assert {rejected for _, rejected in results} == {4}
    assert clients.count(company_id=7) == 196
