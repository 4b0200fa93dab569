"""What tests ask for, read off the names of their fixtures."""

from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass

import pytest

from trueup.errors import UsageError
from trueup.testing.marks import Kind, kind_of
from trueup.testing.options import Options

SHARED = ("class_db", "module_db", "session_db")
"""The narrowest first."""


def database_of(fixtures: Collection[str]) -> str:
    """Return the fixture whose database is *the* database of a test: `conn`, `observer` and `dsn` speak of that.

    `conn` when the test has nothing else: then it is one where nothing is ever committed.
    """
    found = next((name for name in ("db", "fresh_db", *SHARED) if name in fixtures), None)
    if found is not None:
        return found
    return "conn" if "conn" in fixtures and "dsn" not in fixtures else "db"


def shared_by(fixtures: Collection[str]) -> str | None:
    """Return the narrowest shared database that a test asks for: `db` is that one then."""
    return next((name for name in SHARED if name in fixtures), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Is what somebody wants a database for."""

    kind: Kind
    is_put_back: bool = False
    """Whether it is put back for the next test, and so comes with its baseline; else it is used once."""


def count_orders(items: Iterable[pytest.Item], options: Options) -> Counter[Order]:
    """Return what is to be made ahead: a clone for each test that wants a new one, and for all others of a kind one.

    A mark that is wrong is for its test to say.
    """
    found: Counter[Order] = Counter()
    for item in items:
        names = getattr(item, "fixturenames", ())
        with suppress(UsageError):
            if "fresh_db" in names:
                found[Order(kind=kind_of(item, options))] += 1
            elif "db" in names and shared_by(names) is None:
                found[Order(kind=kind_of(item, options), is_put_back=True)] = 1
    return found
