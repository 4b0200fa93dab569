"""What is reported of the work of a service: each failure once, from the place that knows the most, and no value."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from tests.integration.observe.conftest import receiver, track  # noqa: F401
from tests.integration.observe.receiver import Receiver

from trueup import observe
from trueup.conninfo import ConnInfo
from trueup.db import Block, Database, connect
from trueup.errors import (
    ConnectionFailed,
    Disconnected,
    Duplicate,
    PoolTimeout,
    SchemaMismatch,
    StatementTimeout,
    TransactionAborted,
)
from trueup.settings import DatabaseSettings
from trueup.tables import Repository, Table

PHONE = "+70001230022"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    id: int
    phone: str


CLIENTS = Table("public.clients", Client, primary_key=("id",))


@pytest.fixture
def db(database: ConnInfo, receiver: Receiver, track: Any) -> Iterator[Database]:  # noqa: F811
    """Return a database of a service that reports."""
    track(receiver.dsn)
    with connect(database) as connection:
        connection.execute("create table clients (id integer primary key, phone text not null unique)")
        connection.execute("insert into clients values (1, %s), (2, 'x')", [PHONE])
    with Database(DatabaseSettings(conninfo=database, checkout_timeout_s=5)) as db:
        yield db


def reported(receiver: Receiver) -> list[dict[str, Any]]:  # noqa: F811
    """Return the events that arrived, without a value in any of them."""
    assert observe.flush(10)
    raw = b"".join(receiver.raw)
    assert PHONE.strip("+").encode() not in raw
    assert b"4711" not in raw
    return receiver.errors


def place(event: dict[str, Any]) -> tuple[str | None, ...]:
    return tuple(event["tags"].get(tag) for tag in ("component", "operation", "table"))


def test_failure_of_a_repository_is_one_event_however_many_blocks_it_leaves(db: Database, receiver: Receiver) -> None:  # noqa: F811
    """W-R26, W-S3: with the table, and what was asked of it; one problem whatever the row."""
    clients = Repository(db, CLIENTS)

    def insert(_: Block) -> None:
        with db.transaction():
            clients.insert(Client(id=4711, phone=PHONE))

    with pytest.raises(Duplicate):
        db.run(insert)

    [event] = reported(receiver)
    assert place(event) == ("tables", "insert", "public.clients")
    assert event["fingerprint"] == ["trueup", "23505", "public.clients", "clients_phone_key", "insert"]
    assert event["tags"]["sqlstate"] == "23505"


@pytest.mark.parametrize(
    "call",
    [
        lambda clients: clients.find_one(id=4711),
        lambda clients: clients.find_many(id=4711),
        lambda clients: clients.count(id=4711),
        lambda clients: clients.exists(id=4711),
        lambda clients: clients.insert(Client(id=4711, phone=PHONE)),
        lambda clients: clients.upsert(Client(id=4711, phone=PHONE)),
        lambda clients: clients.update({"phone": PHONE}, id=4711),
        lambda clients: clients.delete(id=4711),
        lambda clients: clients.bulk_upsert([Client(id=4711, phone=PHONE)]),
        lambda clients: clients.stream(id=4711).__enter__(),
    ],
    ids=["find_one", "find_many", "count", "exists", "insert", "upsert", "update", "delete", "bulk_upsert", "stream"],
)
def test_every_call_of_a_repository_is_reported_by_its_name(
    db: Database,
    receiver: Receiver,  # noqa: F811
    call: Any,
    request: pytest.FixtureRequest,
) -> None:
    with db.connection() as connection:
        connection.execute("drop table clients")

    with pytest.raises(SchemaMismatch):
        call(Repository(db, CLIENTS))

    [event] = reported(receiver)
    assert place(event) == ("tables", request.node.callspec.id.split("-")[-1], "public.clients")


def test_stream_that_breaks_between_two_chunks_is_reported_by_its_name(db: Database, receiver: Receiver) -> None:  # noqa: F811
    def read() -> None:
        with Repository(db, CLIENTS).stream(chunk_rows=1) as rows, db.connection() as held:
            next(rows)
            held.pgconn.finish()
            next(rows)

    with pytest.raises(Disconnected):
        read()

    [event] = reported(receiver)
    assert place(event) == ("tables", "stream", "public.clients")


def test_what_fails_within_a_stream_is_not_the_streams_failure(db: Database, receiver: Receiver) -> None:  # noqa: F811
    clients = Repository(db, CLIENTS)

    def work() -> None:
        with clients.stream() as rows:
            clients.insert(Client(id=4711, phone=next(rows).phone))

    with pytest.raises(Duplicate):
        work()

    [event] = reported(receiver)
    assert place(event) == ("tables", "insert", "public.clients")


def test_rows_that_are_left_out_on_purpose_are_no_failures(db: Database, receiver: Receiver) -> None:  # noqa: F811
    rows = [Client(id=number, phone=PHONE) for number in (4711, 47110, 47111)]

    written = Repository(db, CLIENTS).bulk_upsert(rows, partial=True)

    assert len(written.rejected) == 3
    assert reported(receiver) == []


def test_lost_race_that_is_run_again_is_no_failure(db: Database, receiver: Receiver) -> None:  # noqa: F811
    clients = Repository(db, CLIENTS)
    attempts = []

    def work(tx: Block) -> None:
        attempts.append(1)
        clients.find_one(id=1)
        if len(attempts) == 1:
            with connect(db.settings.conninfo) as other:
                other.execute("update clients set phone = 'y' where id = 2")
        clients.update({"phone": "z"}, id=2)

    db.run(work, isolation="repeatable read")

    assert len(attempts) == 2
    assert reported(receiver) == []


@pytest.mark.parametrize("attempts", [1, 2])
def test_lost_race_that_nobody_runs_again_is_one_failure(db: Database, receiver: Receiver, attempts: int) -> None:  # noqa: F811
    def work(tx: Block) -> None:
        tx.execute("do $$ begin raise exception using errcode = '40001'; end $$")

    with pytest.raises(Exception, match="40001"):
        db.run(work, attempts=attempts)

    [event] = reported(receiver)
    assert place(event)[:2] == ("db", "execute")


def test_slow_query_is_one_warning(db: Database, receiver: Receiver) -> None:  # noqa: F811
    with db.transaction() as tx:
        tx.execute("select pg_sleep(0.6), %s", [PHONE])

    [event] = reported(receiver)
    assert (event["level"], event["fingerprint"]) == ("warning", ["trueup", "slow query"])
    assert place(event)[:2] == ("db", "execute")
    assert event["extra"]["duration_ms"] >= 600


def test_statement_on_a_bare_connection_is_reported(db: Database, receiver: Receiver) -> None:  # noqa: F811
    with pytest.raises(Duplicate), db.connection() as connection:
        connection.execute("insert into clients values (4711, %s)", [PHONE])

    [event] = reported(receiver)
    assert place(event) == ("db", "statement", "public.clients")


def test_swallowed_failure_is_one_with_the_block_that_ends_for_it(db: Database, receiver: Receiver) -> None:  # noqa: F811
    clients = Repository(db, CLIENTS)

    def swallow() -> None:
        with db.transaction(), suppress(Duplicate):
            clients.insert(Client(id=4711, phone=PHONE))

    with pytest.raises(TransactionAborted):
        swallow()

    [event] = reported(receiver)
    assert place(event) == ("tables", "insert", "public.clients")


def test_deferred_constraint_is_reported_by_the_transaction(db: Database, receiver: Receiver) -> None:  # noqa: F811
    with connect(db.settings.conninfo) as connection:
        connection.execute("alter table clients add constraint late unique (phone) deferrable initially deferred")
        connection.execute("alter table clients drop constraint clients_phone_key")

    with pytest.raises(Duplicate), db.transaction() as tx:
        tx.execute("insert into clients values (4711, %s)", [PHONE])

    [event] = reported(receiver)
    assert place(event) == ("db", "transaction", "public.clients")
    assert event["tags"]["constraint"] == "late"


def test_full_pool_is_reported_with_its_usage(database: ConnInfo, receiver: Receiver, track: Any) -> None:  # noqa: F811
    """W-P6."""
    track(receiver.dsn)
    settings = DatabaseSettings(conninfo=database, max_connections=1, checkout_timeout_s=0.2)
    with Database(settings) as db, db.connection():
        taken: list[BaseException] = []

        def take() -> None:
            try:
                with db.connection():
                    pass
            except PoolTimeout as error:
                taken.append(error)

        in_thread(take)

    usage, timeout = reported(receiver)
    assert (usage["level"], place(usage)[:2]) == ("warning", ("db", "pool"))
    assert (timeout["level"], place(timeout)[:2]) == ("error", ("db", "connect"))
    assert len(taken) == 1


def in_thread(work: Any) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


@pytest.mark.usefixtures("may_connect")
def test_server_that_can_not_be_reached_is_reported_where_work_begins(receiver: Receiver, track: Any) -> None:  # noqa: F811
    track(receiver.dsn)
    conninfo = ConnInfo.parse("host=127.0.0.1 port=1 dbname=d user=u")
    with Database(DatabaseSettings(conninfo=conninfo, checkout_timeout_s=0.3)) as db:
        with pytest.raises(ConnectionFailed), db.transaction():
            pass
        with pytest.raises(ConnectionFailed):
            Repository(db, CLIENTS).find_one(id=4711)

    begin, find = reported(receiver)
    assert place(begin)[:2] == ("db", "begin")
    assert place(find) == ("tables", "find_one", "public.clients")


def test_slow_statement_that_ended_is_a_failure_and_no_warning(db: Database, receiver: Receiver) -> None:  # noqa: F811
    with pytest.raises(StatementTimeout), db.transaction(statement_timeout_s=0.6) as tx:
        tx.execute("select pg_sleep(5)")

    [event] = reported(receiver)
    assert event["level"] == "error"
    assert event["tags"]["sqlstate"] == "57014"
