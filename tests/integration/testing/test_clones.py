"""Clones made ahead: as many as will be wanted, ready before they are, and never in the way."""

import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from tests.integration.testing.waiting import wait_until

from trueup.db import connect
from trueup.servers import EmbeddedServer
from trueup.testing.lending.clones import DEPTH, Clones
from trueup.testing.lending.leases import Site, open_site
from trueup.testing.lending.orders import Order
from trueup.testing.marks import Kind

ONCE = Order(kind=Kind())
AGAIN = Order(kind=Kind(), is_put_back=True)


@pytest.fixture
def open_ours(server: EmbeddedServer) -> Callable[[], Site]:
    return partial(open_site, server.conninfo(), run="00000000", worker=f"t{time.time_ns()}", is_embedded=True)


@pytest.fixture
def make(open_ours: Callable[[], Site]) -> Iterator[Callable[[int], Clones]]:
    """Return a maker of clones for so many tests; what it leaves is dropped."""
    made: list[Clones] = []

    def make(wanted: int) -> Clones:
        made.append(Clones(open_ours, {ONCE: wanted, AGAIN: 1}))
        return made[-1]

    yield make
    site = open_ours()
    for clones in made:
        for loan in clones.close():
            loan.close()
            site.drop(loan.lease.name)
    site.close()


def ready(clones: Clones) -> int:
    return len(clones.ready[ONCE])


def test_nothing_is_made_before_the_first_is_wanted(make: Callable[[int], Clones]) -> None:
    clones = make(100)

    assert clones.thread is None


def test_nobody_makes_any_for_who_wants_a_single_one(make: Callable[[int], Clones]) -> None:
    clones = make(0)
    clones.take(AGAIN, "template1")
    is_idle = clones.thread is None

    clones.replace(AGAIN)

    assert is_idle
    wait_until(lambda: len(clones.ready[AGAIN]) == 1)


def test_the_next_ones_are_made_while_the_first_is_used(make: Callable[[int], Clones]) -> None:
    clones = make(100)

    assert clones.take(ONCE, "template1") is None
    wait_until(lambda: ready(clones) == DEPTH)
    found = clones.take(ONCE, "template1")

    assert found
    with found.database.connection() as connection:
        assert connection.execute("select current_database()").fetchone() == (found.lease.name,)
    clones.drop(found)


def test_none_is_made_in_vain(make: Callable[[int], Clones]) -> None:
    clones = make(3)

    clones.take(ONCE, "template1")
    wait_until(lambda: ready(clones) == 2)
    first = clones.take(ONCE, "template1")
    second = clones.take(ONCE, "template1")
    assert first
    assert second
    clones.drop(first)
    clones.drop(second)
    wait_until(lambda: not clones.dropping)

    assert ready(clones) == 0


def test_dropped_database_is_gone_with_its_connections(make: Callable[[int], Clones], server: EmbeddedServer) -> None:
    clones = make(2)
    clones.take(ONCE, "template1")
    wait_until(lambda: ready(clones) == 1)
    loan = clones.take(ONCE, "template1")
    assert loan

    assert clones.drop(loan)
    wait_until(lambda: not clones.dropping)

    admin = connect(server.conninfo())
    found = admin.execute("select from pg_database where datname = %s", [loan.lease.name]).rowcount
    admin.close()
    assert found == 0
    assert loan.opened
    assert loan.opened.pool.is_closed


def test_one_that_is_put_back_is_ready_with_its_baseline_and_waited_for(make: Callable[[int], Clones]) -> None:
    clones = make(100)
    clones.take(ONCE, "template1")

    found = clones.take(AGAIN, "template1")

    assert found
    assert found.baseline
    assert found.baseline_pid in found.pids
    assert found.rewind(found.baseline)
    clones.drop(found)
    assert clones.wanted[AGAIN] == 0


def test_one_that_could_not_be_put_back_is_replaced_ahead(make: Callable[[int], Clones]) -> None:
    clones = make(1)
    assert clones.take(AGAIN, "template1") is None

    clones.replace(AGAIN)
    found = clones.take(AGAIN, "template1")

    assert found
    assert found.baseline
    clones.drop(found)
    wait_until(lambda: len(clones.ready[AGAIN]) == 1)


def test_failure_is_left_to_who_needs_a_database(make: Callable[[int], Clones]) -> None:
    clones = make(100)

    clones.take(ONCE, "no such template")
    wait_until(lambda: clones.is_broken)

    assert clones.take(ONCE, "template1") is None
    assert clones.take(AGAIN, "template1") is None
    assert clones.close() == []


def test_nothing_is_taken_over_after_the_end(make: Callable[[int], Clones], open_ours: Callable[[], Site]) -> None:
    clones = make(2)
    clones.take(ONCE, "template1")
    wait_until(lambda: ready(clones) == 1)
    [left] = clones.ready[ONCE]
    assert left in clones.close()

    assert not clones.drop(left)
    left.close()
    site = open_ours()
    site.drop(left.lease.name)
    site.close()
    clones.ready[ONCE].clear()
