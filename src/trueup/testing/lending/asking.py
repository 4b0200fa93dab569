"""What a test asks for, read off the names of its fixtures, and for whom a fixture is made."""

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


class Making:
    """Knows for whom a fixture is made right now.

    Fixtures of every test read it here: as an argument, `request` costs 20 µs each time that pytest looks whether the
    fixture is there, which for one of the session is in every test.
    """

    request: "pytest.FixtureRequest"


making = Making()
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
