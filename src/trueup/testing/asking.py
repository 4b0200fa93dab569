"""What tests ask for, read off the names of their fixtures."""

from collections import Counter
from collections.abc import Collection, Iterable

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


def count_fresh(items: Iterable[pytest.Item], options: Options) -> Counter[Kind]:
    """Return how many tests ask for a new clone, by kind; a mark that is wrong is for its test to say."""
    found: Counter[Kind] = Counter()
    for item in items:
        if "fresh_db" in getattr(item, "fixturenames", ()):
            try:
                found[kind_of(item, options)] += 1
            except UsageError:
                continue
    return found
