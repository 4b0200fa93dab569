"""A clean-up beside others who write: it reports exactly what it deletes, and waits for nobody for long."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import psycopg
import pytest
from tests.integration.tables.markers.conftest import BOOKINGS, CLIENTS, TABLES

from trueup.db import Database, connect
from trueup.errors import LockTimeout, StatementTimeout, UsageError
from trueup.tables import CleanUpRefused
from trueup.tables.markers import clean

DEADLINE_S = 20


@pytest.fixture
def neighbour(database, observer):
    """Return somebody else's connection, which is in a transaction."""
    connection = psycopg.connect(database.reveal())
    yield connection
    connection.close()


def wait_until_blocked(observer):
    """Return when a session of the service waits for a lock."""
    waiting = Event()
    for _ in range(DEADLINE_S * 100):
        if observer.execute(
            "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ).fetchone():
            return
        waiting.wait(0.01)
    raise TimeoutError


@pytest.mark.parametrize("dry_run", [True, False])
def test_row_that_is_committed_while_it_waits_is_counted_too(db, make, observer, neighbour, counted, dry_run):
    """The dry run and the run both wait for whoever is about to add a row that hangs on ours."""
    client = make(CLIENTS, phone="+70001")
    neighbour.execute("insert into bookings values (%s, 5)", [client.id])

    with ThreadPoolExecutor() as threads:
        done = threads.submit(clean, db, TABLES, dry_run=dry_run)
        wait_until_blocked(observer)
        neighbour.commit()

        assert done.result(DEADLINE_S).tables == {"public.bookings": 1, "public.clients": 1, "public.rooms": 0}
    assert counted("bookings") == (1 if dry_run else 0)


def test_foreign_row_that_is_committed_while_it_waits_is_seen(db, make, observer, neighbour, counted):
    client = make(CLIENTS, phone="+70001")
    neighbour.execute("insert into clients (phone, referrer_id) values ('+49', %s)", [client.id])

    with ThreadPoolExecutor() as threads:
        done = threads.submit(clean, db, TABLES)
        wait_until_blocked(observer)
        neighbour.commit()

        assert isinstance(done.exception(DEADLINE_S), CleanUpRefused)
    assert counted("clients") == 2


def test_row_that_loses_its_mark_while_it_waits_is_not_deleted(db, make, observer, neighbour, counted):
    make(CLIENTS, phone="+70001")
    neighbour.execute("update clients set phone = '+49'")

    with ThreadPoolExecutor() as threads:
        done = threads.submit(clean, db, TABLES)
        wait_until_blocked(observer)
        neighbour.commit()

        assert "disagree now" in str(done.exception(DEADLINE_S))
    assert counted("clients") == 1


def test_tests_that_run_meanwhile_are_neither_refused_nor_hurt(db, make, observer, counted):
    """Rows and entries come and go while it counts: none is ever taken for somebody else's."""
    stop = Event()

    def write():
        number = 0
        while not stop.is_set():
            number += 1
            make(CLIENTS, phone=f"+7000{number:07}")
        return number

    with ThreadPoolExecutor() as threads:
        writing = threads.submit(write)
        try:
            deleted = sum(clean(db, TABLES).rows for _ in range(30))
        finally:
            stop.set()
        made = writing.result(DEADLINE_S)

    assert deleted + counted("clients") == made
    assert counted("clients") == counted("trueup.made")


def test_two_clean_ups_take_turns(db, make, counted):
    for number in range(20):
        client = make(CLIENTS, phone=f"+7000{number}")
        make(BOOKINGS, client_id=client.id, slot=number)

    with Database(db.settings) as other, ThreadPoolExecutor() as threads:
        done = [each.result(DEADLINE_S).rows for each in (threads.submit(clean, one, TABLES) for one in (db, other))]

    assert sorted(done) == [0, 40]
    assert counted("clients") == 0


def test_row_that_somebody_holds_is_waited_for_only_shortly(db, make, neighbour, monkeypatch, counted):
    monkeypatch.setattr("trueup.tables.markers.cleaning.LOCK_TIMEOUT_S", 0.05)
    make(CLIENTS, phone="+70001")
    neighbour.execute("select from clients for update")

    with pytest.raises(LockTimeout):
        clean(db, TABLES)

    assert counted("clients") == 1


def test_statement_timeout_deletes_nothing(db, make, observer, counted):
    make(CLIENTS, phone="+70001")
    observer.execute(
        "create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(30); return old; end $$;"
        "create trigger slow before delete on clients for each row execute function slow()"
    )

    with Database(replace(db.settings, statement_timeout_s=0.2)) as hurried, pytest.raises(StatementTimeout):
        clean(hurried, TABLES)

    assert counted("clients") == 1


def test_clean_up_inside_a_transaction_is_refused(db, make, counted):
    """What it reports as deleted would not be, if the transaction around it were rolled back."""
    make(CLIENTS, phone="+70001")

    with pytest.raises(UsageError), db.transaction():
        clean(db, TABLES)

    assert counted("clients") == 1


def test_connection_that_dies_deletes_nothing(db, make, observer, neighbour, database, counted):
    make(CLIENTS, phone="+70001")
    neighbour.execute("select from clients for update")

    with ThreadPoolExecutor() as threads:
        done = threads.submit(clean, db, TABLES, dry_run=True)
        for _ in range(3):
            wait_until_blocked(observer)
            observer.execute(
                "select pg_terminate_backend(pid, 1000) from pg_stat_activity"
                " where datname = current_database() and wait_event_type = 'Lock'"
            )
        error = done.exception(DEADLINE_S)

    assert error is not None
    with connect(database) as last:
        assert last.execute("select count(*) from clients").fetchone() == (1,)
