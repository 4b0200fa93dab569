"""The contracts that a project has declared in its configuration."""

from collections.abc import Iterator, Sequence
from typing import Any

from trueup.errors import UsageError
from trueup.settings.places import load_place
from trueup.tables.contract import Table

DECLARE = 'declare them: contracts = ["PACKAGE.MODULE:NAME"] under [tool.trueup], NAME being a Table or a list of them'


def declared_tables(places: Sequence[str]) -> tuple[Table[Any], ...]:
    """Return the contracts at places of the form `package.module:name`; the current folder can be imported from.

    Raises:
        UsageError: there is no place, or one holds no contract; with what is wrong with it.
    """
    if not places:
        raise UsageError(f"no contract is declared in the configuration; {DECLARE}")
    return tuple(table for place in places for table in load_tables(place))


def load_tables(place: str) -> Iterator[Table[Any]]:
    """Yield the contracts at one place."""
    try:
        found = load_place(place)
    except UsageError as error:
        raise UsageError(f"contracts: {error}; {DECLARE}") from error
    tables = (found,) if isinstance(found, Table) else tuple(found) if isinstance(found, Sequence) else ()
    if not tables or not all(isinstance(table, Table) for table in tables):
        raise UsageError(f"contracts: {place} is not a Table or a list of them; {DECLARE}")
    yield from tables
