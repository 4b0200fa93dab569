"""What pools of trueup.db hold for themselves, and what the harness holds, is no leak of a test."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from threading import Event
from typing import Any

import pytest

from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.db.pool import Pool
from trueup.settings import DatabaseSettings
from trueup.testing.guard.gate import Owner
from trueup.testing.guard.leaks.leak import Leak
from trueup.testing.guard.leaks.pools import left_taken
from trueup.testing.guard.stacks import PACKAGE

TIDY_S = 0.08
PATIENCE_S = 10.0


class WatchedPool(Pool):
    """Tells what would be a test's leak at the moment when the housekeeper uses a connection."""

    def end_lost_backends(self, connection: Any) -> None:
        if connection in self.held:
            self.found = leaks_of(self)
            self.was_tidied.set()
        super().end_lost_backends(connection)


def leaks_of(pool: Pool) -> list[Leak]:
    """Return what a test that runs now would have to answer for."""
    owner = Owner(node="test", started_at=0.0)
    return [leak for leak in left_taken(owner) if leak.end.args[0] in pool.held]


@pytest.fixture
def open_database(database: ConnInfo) -> Iterator[Callable[[], Database]]:
    opened: list[Database] = []

    def open_one() -> Database:
        settings = DatabaseSettings(conninfo=database, service="crm", max_connections=2, long_hold_s=TIDY_S)
        opened.append(Database(settings))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close(drain_s=0)


def call_from(file: str) -> Callable[[AbstractContextManager[Any]], None]:
    """Return a function that enters a context, and whose code is said to be in a file."""
    names: dict[str, Any] = {}
    exec(compile("def enter(context):\n    context.__enter__()", file, "exec"), names)
    return names["enter"]


def test_connection_that_the_housekeeper_uses_is_nobodys_leak(open_database: Callable[[], Database]) -> None:
    db = open_database()
    db.pool.__class__ = WatchedPool
    db.pool.was_tidied = Event()
    with db.connection():
        pass

    db.pool.lost.append((0, 0.0))

    assert db.pool.was_tidied.wait(PATIENCE_S)
    assert db.pool.found == []


def test_connection_that_the_maker_of_clones_uses_is_nobodys_leak(open_database: Callable[[], Database]) -> None:
    db = open_database()
    checkout = db.connection()

    call_from(f"{PACKAGE}/testing/clones.py")(checkout)

    assert leaks_of(db.pool) == []
    checkout.__exit__(None, None, None)


def test_connection_that_a_test_uses_is_its_leak(open_database: Callable[[], Database]) -> None:
    db = open_database()

    with db.connection():
        [leak] = leaks_of(db.pool)

    assert __file__ in str(leak)
