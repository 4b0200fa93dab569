"""`trueup services`: who holds connections now, and whether their failures are reported."""

import click
from rich.table import Table

from trueup.cli.budget import where_services_connect
from trueup.cli.exits import VERDICTS, ExitCode
from trueup.cli.options import as_json
from trueup.cli.terminal import show_table, shown, table_of
from trueup.report.json import envelope
from trueup.report.model import Verdict
from trueup.settings import Settings
from trueup.verify.services import ServiceState, service_states


@click.command("services", short_help="Show each service: its connections and error tracking.")
@click.argument("database", metavar="DB")
@as_json
def services_command(*, database: str, as_json: bool) -> ExitCode:
    """Show each declared service: its connections to DB now and at most, when it was last seen, its error tracking.

    Whether tracking is live is asked at the `health` that a service declares. Exit 1 where one holds more connections
    than it may.
    """
    settings = Settings.load()
    with where_services_connect("services", database, settings, as_json=as_json) as connection:
        states = service_states(connection, settings.services)
    verdict = Verdict.FAILED if any(state.connections > state.most for state in states) else Verdict.PASSED
    if as_json:
        click.echo(envelope(verdict, services=states))
    else:
        show_table(services_table(states))
    return VERDICTS[verdict]


def services_table(states: tuple[ServiceState, ...]) -> Table:
    """Return the states as people read them."""
    table = table_of("service", "connections", "last seen", "tracking")
    for state in states:
        style = "red" if state.connections > state.most else ""
        table.add_row(
            shown(state.name),
            f"{state.connections} of {state.most}",
            f"{state.last_seen:%Y-%m-%d %H:%M:%S %z}" if state.last_seen else "not connected",
            shown(state.tracking),
            style=style,
        )
    return table
