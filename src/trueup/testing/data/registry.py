"""The factories of a project: those that it declares, and one for each contract that has none."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from trueup.errors import UsageError
from trueup.tables import Table
from trueup.testing.data.factories import Factory, factory

DECLARE = "declare one by trueup.testing.factory, in a module that the ini option trueup_factories names"


@dataclass(frozen=True, slots=True)
class Registry:
    """Is the factories of a project."""

    by_name: Mapping[str, Factory[Any]]
    by_table: Mapping[str, Factory[Any]]

    def named(self, name: str) -> Factory[Any]:
        """Return the factory that tests call by a name.

        Raises:
            UsageError: there is none.
        """
        if name not in self.by_name:
            known = ", ".join(sorted(self.by_name)) or "none"
            raise UsageError(f'no factory is called "{name}" (known: {known}); {DECLARE}')
        return self.by_name[name]

    def of_table(self, table: str, place: str) -> Factory[Any]:
        """Return the factory for rows that a place points to.

        Raises:
            UsageError: there is none.
        """
        if table not in self.by_table:
            raise UsageError(f"{place} points to {table}, for which there is no factory: give a row, or {DECLARE}")
        return self.by_table[table]


def read_registry(modules: list[str], tables: tuple[Table[Any], ...]) -> Registry:
    """Return the factories in modules, and one for each contract that has none.

    Raises:
        UsageError: a module can't be imported or has no factory, or two factories have a name or a table in common.
    """
    by_name: dict[str, Factory[Any]] = {}
    by_table: dict[str, Factory[Any]] = {}
    for found in (each for module in modules for each in factories_in(module)):
        for place, known in ((found.name, by_name), (found.table.name, by_table)):
            if known.setdefault(place, found) is not found:
                raise UsageError(f'two factories are for "{place}": give one another name, or leave it out')
    for table in tables:
        if table.name not in by_table and (found := factory(table)).name not in by_name:
            by_name[found.name] = by_table[table.name] = found
    return Registry(by_name, by_table)


def factories_in(module: str) -> Iterator[Factory[Any]]:
    """Give the factories that a module defines or imports."""
    try:
        names = vars(import_module(module))
    except ImportError as error:
        raise UsageError(f"trueup_factories: {module}: {error}") from error
    found = [value for value in names.values() if isinstance(value, Factory)]
    if not found:
        raise UsageError(f"trueup_factories: {module} has no factory; {DECLARE}")
    yield from found
