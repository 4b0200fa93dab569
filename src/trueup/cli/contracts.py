"""`trueup contracts`: whether a database is what the code believes."""

import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

import click

from trueup.cli.exits import VERDICTS, ExitCode
from trueup.cli.options import answering, as_json
from trueup.cli.terminal import show_section
from trueup.db import snapshot
from trueup.errors import UsageError
from trueup.report.json import envelope
from trueup.servers import open_source
from trueup.settings import Settings
from trueup.tables import Table
from trueup.verify.contracts import contracts_section

DECLARE = 'declare them: contracts = ["PACKAGE.MODULE:NAME"] under [tool.trueup], NAME being a Table or a list of them'


@click.command()
@click.argument("database", metavar="DB")
@as_json
def contracts(*, database: str, as_json: bool) -> ExitCode:
    """Hold the declared table contracts against DB: columns, types, keys, what ON CONFLICT needs."""
    settings = Settings.load()
    tables = declared_tables(settings)
    with (
        answering("contracts", as_json=as_json),
        open_source(database, settings) as conninfo,
        snapshot(conninfo) as held,
    ):
        section = contracts_section(held, tables)
    if as_json:
        click.echo(envelope(section.verdict, section.findings, compared=section.compared))
    else:
        show_section(section)
    return VERDICTS[section.verdict]


def declared_tables(settings: Settings) -> tuple[Table[Any], ...]:
    """Return the contracts of the project.

    Raises:
        UsageError: none is declared, or a place holds none.
    """
    if not settings.contracts:
        raise UsageError(f"no contract is declared in the configuration; {DECLARE}")
    return tuple(load_tables(settings.contracts))


def load_tables(places: Sequence[str]) -> Iterator[Table[Any]]:
    """Yield the contracts at places of the form `package.module:name`; the current folder can be imported from.

    Raises:
        UsageError: with the place and what is wrong with it.
    """
    if "" not in sys.path:
        sys.path.insert(0, "")
    for place in places:
        module, _, name = place.partition(":")
        try:
            found = getattr(import_module(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise UsageError(f"contracts: {place}: {error}; {DECLARE}") from error
        tables = (found,) if isinstance(found, Table) else tuple(found) if isinstance(found, Sequence) else ()
        if not tables or not all(isinstance(table, Table) for table in tables):
            raise UsageError(f"contracts: {place} is not a Table or a list of them; {DECLARE}")
        yield from tables
