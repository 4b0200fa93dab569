"""What servers can do while pytest goes on: asked as soon as a test's own code has ended, read when it is needed."""

from collections.abc import Generator
from typing import TYPE_CHECKING, TypeGuard

import pytest

if TYPE_CHECKING:
    from trueup.testing.lending.databases import Databases
    from trueup.testing.lending.kept import KeptConnection


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Ask whether `conn` could be committed, and have the connections of `db` hand in what they have counted."""
    result = yield
    if (connection := conn_of(item)) is not None:
        connection.ask()
    if (databases := databases_of(item)) is not None:
        databases.ask()
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Have the answers of `db` before a fixture ends that may need its connections."""
    if (databases := databases_of(item)) is not None:
        databases.hear()


def conn_of(item: pytest.Item) -> "KeptConnection | None":
    """Return the `conn` of a test; a project may have one of its own, which is none."""
    connection = getattr(item, "funcargs", {}).get("conn")
    return connection if is_kept(connection) else None


def is_kept(connection: object) -> TypeGuard["KeptConnection"]:
    """Say whether it is ours."""
    return type(connection).__module__ == "trueup.testing.lending.kept"


def databases_of(item: pytest.Item) -> "Databases | None":
    """Return the databases of the process, if the test has one of them."""
    found: Databases | None = getattr(item, "funcargs", {}).get("trueup_databases")
    return found
