"""A pool that is full, as who asks it sees it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.errors import ConnectionFailed, PoolTimeout
from trueup.settings import DatabaseSettings
from trueup.testing.faults import full_pool, hold


@pytest.fixture
def db(database: ConnInfo) -> Iterator[Database]:
    with Database(DatabaseSettings(conninfo=database, max_connections=2, checkout_timeout_s=0.2)) as db:
        yield db


def ask(db: Database) -> object:
    with db.connection() as connection:
        return connection.execute("select 1").fetchone()


def test_full_pool_has_none_to_give_until_its_block_ends(db: Database) -> None:
    with full_pool(db):
        assert db.statistics().in_use == 2
        with pytest.raises(PoolTimeout):
            ask(db)

    assert db.statistics().in_use == 0
    assert ask(db) == (1,)


def test_pool_is_free_after_a_test_that_failed(db: Database) -> None:
    before = set(threading.enumerate())
    with pytest.raises(ZeroDivisionError), full_pool(db):
        raise ZeroDivisionError

    assert ask(db) == (1,)
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("trueup full pool")]


def test_pool_that_can_not_be_filled_says_why(db: Database, database: ConnInfo) -> None:
    with db.connection(), pytest.raises(PoolTimeout), full_pool(db):
        raise AssertionError

    nobody = database.with_parameters(user="nobody_here")
    with (
        Database(DatabaseSettings(conninfo=nobody)) as closed,
        pytest.raises(ConnectionFailed),
        full_pool(closed),
    ):
        raise AssertionError


def test_any_pool_can_be_filled() -> None:
    taken = threading.Semaphore(3)

    @contextmanager
    def checkout() -> Iterator[None]:
        assert taken.acquire(blocking=False)
        yield
        taken.release()

    with hold(checkout, 3):
        assert not taken.acquire(blocking=False)

    assert taken.acquire(blocking=False)
