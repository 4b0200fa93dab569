"""`trueup schema`: what two databases are made of."""

import click

from trueup.cli.databases import named_pair
from trueup.cli.exits import VERDICTS, ExitCode
from trueup.cli.options import answering, as_json, source_version, target_version
from trueup.cli.plan_text import script
from trueup.cli.terminal import progress, show_section
from trueup.parity.schema import compared, diff
from trueup.parity.schema.planning import Statement, stated
from trueup.report.json import envelope
from trueup.settings import Settings
from trueup.verify.checks import schema_section
from trueup.verify.planning import plan_pair


@click.group()
def schema() -> None:
    """Compare what two databases are made of; plan what makes them alike."""


@schema.command("diff")
@click.argument("source", metavar="SOURCE")
@click.argument("target", metavar="TARGET")
@source_version
@target_version
@as_json
def diff_command(
    *, source: str, target: str, source_version: str | None, target_version: str | None, as_json: bool
) -> ExitCode:
    """Say how the structure of TARGET differs from that of SOURCE."""
    with (
        answering("schema", as_json=as_json),
        progress() as announce,
        named_pair(source, target, (source_version, target_version)) as pair,
    ):
        announce("comparing structure")
        differences = diff(pair.source.catalog, pair.target.catalog)
        section = schema_section(pair.source.catalog, pair.target.catalog, differences)
    if as_json:
        click.echo(envelope(section.verdict, section.findings, differences=differences, compared=section.compared))
    else:
        show_section(section)
    return VERDICTS[section.verdict]


@schema.command("plan")
@click.argument("source", metavar="SOURCE")
@click.argument("target", metavar="TARGET")
@source_version
@target_version
@click.option("--no-prove", is_flag=True, help="Don't run the plan on a scratch server: not proved, exit code 3.")
@click.option("--allow-loss", is_flag=True, help="Don't withhold the statements that lose data.")
@as_json
def plan_command(
    *,
    source: str,
    target: str,
    source_version: str | None,
    target_version: str | None,
    no_prove: bool,
    allow_loss: bool,
    as_json: bool,
) -> ExitCode:
    """Print the SQL that makes TARGET like SOURCE, and the way back, both proved on a scratch server.

    What is printed runs in psql as it stands. The databases themselves are only read.
    """
    with (
        answering("plan", as_json=as_json),
        progress() as announce,
        named_pair(source, target, (source_version, target_version)) as pair,
    ):
        cache_folder = None if no_prove else Settings.load().cache_folder
        planning = plan_pair(pair, cache_folder=cache_folder, announce=announce)
        amounts = compared(pair.source.catalog)
    up, down = (stated(way, allow_loss=allow_loss) for way in (planning.plan.up, planning.plan.down))
    if as_json:
        click.echo(
            envelope(
                planning.verdict,
                planning.findings,
                up=[statement_json(each) for each in up],
                down=[statement_json(each) for each in down],
                proved=planning.is_proved,
                unreached=[{"kind": key.kind, "object": key.identity} for key in planning.plan.unreached],
                compared=amounts,
            )
        )
    else:
        click.echo(script(up, down, planning.summary), nl=False)
    return VERDICTS[planning.verdict]


def statement_json(statement: Statement) -> dict[str, object]:
    """Return a statement as JSON has it."""
    return {"sql": statement.sql, "hazards": statement.hazards, "withheld": statement.is_withheld}
