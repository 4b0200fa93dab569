"""`trueup budget`: whether the connections of all services fit."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from trueup.cli.exits import VERDICTS, ExitCode
from trueup.cli.options import answering, as_json
from trueup.cli.terminal import OF_ONE, out, show_section, shown
from trueup.db import Connection, connect
from trueup.db.budgets import Budget, budget
from trueup.errors import UsageError
from trueup.report.json import envelope
from trueup.servers import open_source
from trueup.settings import Settings
from trueup.verify.budget import budget_section

DECLARE = 'declare them: [[tool.trueup.services]] name = "api", connections = 3, processes = 1'


@click.command("budget", short_help="Add up what the declared services may open on DB.")
@click.argument("database", metavar="DB")
@as_json
def budget_command(*, database: str, as_json: bool) -> ExitCode:
    """Add up what the declared services may open on DB, against its limits and who is connected now."""
    settings = Settings.load()
    with where_services_connect("budget", database, settings, as_json=as_json) as connection:
        found = budget(connection, settings.services)
    section = budget_section(found)
    if as_json:
        listed = [
            {"name": one.name, "connections": one.connections, "processes": one.processes, "role": one.role}
            | {"most": one.most, "in_use": found.room.in_use.get(one.name, 0)}
            for one in found.services
        ]
        click.echo(envelope(section.verdict, section.findings, services=listed, compared=section.compared))
    else:
        show_sum(found)
        show_section(section, sentences=OF_ONE)
    return VERDICTS[section.verdict]


@contextmanager
def where_services_connect(command: str, database: str, settings: Settings, *, as_json: bool) -> Iterator[Connection]:
    """Give a connection to the server of the declared services.

    Raises:
        UsageError: none is declared.
    """
    if not settings.services:
        raise UsageError(f"no service is declared in the configuration; {DECLARE}")
    with answering(command, as_json=as_json), open_source(database, settings) as conninfo, connect(conninfo) as found:
        yield found


def show_sum(found: Budget) -> None:
    """Print the arithmetic: `7 services x 3 = 21 of 97 connections`."""
    width = max(24, *(len(one.name) for one in found.services))
    for one in found.services:
        used = found.room.in_use.get(one.name, 0)
        out.print(f"{shown(one.name):<{width}} {one.processes} x {one.connections} = {one.most:>3}, {used} in use")
    room = found.room
    reserved = f"{room.max_connections} less {room.reserved} reserved"
    out.print(f"{'together':<{width}} {found.most} of {room.available} connections ({reserved})")
