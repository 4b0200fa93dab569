"""`trueup contracts`: whether a database is what the code believes."""

import click

from trueup.cli.exits import VERDICTS, ExitCode
from trueup.cli.options import answering, as_json
from trueup.cli.terminal import OF_ONE, show_section
from trueup.db import snapshot
from trueup.report.json import envelope
from trueup.servers import open_source
from trueup.settings import Settings
from trueup.tables.declared import declared_tables
from trueup.verify.contracts import contracts_section


@click.command(short_help="Hold the declared table contracts against DB.")
@click.argument("database", metavar="DB")
@as_json
def contracts(*, database: str, as_json: bool) -> ExitCode:
    """Hold the declared table contracts against DB: columns, types, keys, what ON CONFLICT needs."""
    settings = Settings.load()
    tables = declared_tables(settings.contracts)
    with (
        answering("contracts", as_json=as_json),
        open_source(database, settings) as conninfo,
        snapshot(conninfo) as held,
    ):
        section = contracts_section(held, tables)
    if as_json:
        click.echo(envelope(section.verdict, section.findings, compared=section.compared))
    else:
        show_section(section, sentences=OF_ONE)
    return VERDICTS[section.verdict]
