"""What a clean-up deletes, and what it leaves alone whatever happens beside it."""

import threading

import pytest

from trueup.errors import LockTimeout, PermissionMissing, RowsHidden, StatementTimeout, UsageError
from trueup.tables import Begins, CleanUpRefused, Repository, Table
from trueup.tables.markers import clean, stats

from .conftest import BOOKINGS, CLIENTS, ROOMS, TABLES, Client


def populate(make):
    """Store two clients, of whom one knows the other, a booking and a room: all made by tests."""
    first = make(CLIENTS, phone="+70000000001")
    make(CLIENTS, phone="+70000000002", referrer_id=first.id)
    make(BOOKINGS, client_id=first.id, slot=1)
    make(ROOMS, is_test=True)
    return first


def test_everything_that_tests_made_goes_and_nothing_else(db, make, observer, counted):
    """W-T7: all tables, not three of sixteen."""
    populate(make)
    observer.execute("insert into clients (phone) values ('+49'), ('+70'); insert into rooms default values")

    done = clean(db, TABLES)

    assert done.tables == {"public.bookings": 1, "public.rooms": 1, "public.clients": 2}
    assert observer.execute("select phone from clients order by 1").fetchall() == [("+49",), ("+70",)]
    assert (counted("bookings"), counted("rooms"), counted("trueup.made")) == (0, 1, 0)
