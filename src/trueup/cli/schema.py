"""`trueup schema`: what two databases are made of."""

import click

from trueup.cli.databases import named_pair
from trueup.cli.exits import VERDICTS, ExitCode
from trueup.cli.options import answering, as_json, source_version, target_version
from trueup.cli.terminal import progress, show_section
from trueup.parity.schema import diff
from trueup.report.json import envelope
from trueup.verify.checks import schema_section


@click.group()
def schema() -> None:
    """Compare what two databases are made of."""


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
