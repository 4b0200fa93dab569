"""The rules that a factory makes valid rows of every table, and that a clean-up would find them."""

from typing import TYPE_CHECKING, Any

from trueup.db import Connection
from trueup.report.model import Finding, failure
from trueup.testing.rules.keys import find_tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from trueup.testing.data.factories import Factory
    from trueup.testing.data.registry import Registry

ROWS = 2
"""Of each factory: a value that may not come twice shows with the second."""


def find_tables_without_factory(connection: Connection, registry: "Registry") -> tuple[Finding, ...]:
    """Return a finding for each table that no factory makes rows of, by name."""
    return tuple(
        failure(
            "factories",
            f"{schema}.{table}",
            "no factory makes rows of it",
            "A test that needs one has to write it by hand.",
            "declare a contract of the table under [tool.trueup], or a factory in a module of trueup_factories",
        )
        for schema, table, _ in find_tables(connection)
        if f"{schema}.{table}" not in registry.by_table
    )


def find_broken_factories(registry: "Registry", make: "Callable[[Factory[Any], int], object]") -> tuple[Finding, ...]:
    """Make rows by each factory, and return a finding for each that fails, by name."""
    found = []
    for name, each in sorted(registry.by_name.items()):
        try:
            make(each, ROWS)
        except Exception as error:  # noqa: BLE001  Whatever a factory raises is what is wrong with it.
            found.append(
                failure(
                    "factories",
                    each.table.name,
                    f"the factory {name} can't make {ROWS} rows: {error}",
                    "A test that needs one fails for a reason of its own.",
                    f"give make.{name} a value, or a declaration in its factory, that the table takes",
                )
            )
    return tuple(found)


def find_factories_without_marker(registry: "Registry") -> tuple[Finding, ...]:
    """Return a finding for each factory whose table has no marker, by name."""
    return tuple(
        failure(
            "factories",
            each.table.name,
            f"rows of the factory {name} carry no marker",
            "On a live database no clean-up would find them.",
            "declare marker= in the contract of the table",
        )
        for name, each in sorted(registry.by_name.items())
        if each.table.marker is None
    )
