"""`trueup data`: what rows two databases hold."""

from contextlib import nullcontext
from pathlib import Path

import click

from trueup.cli.comparing import chosen_recheck, paranoid, recheck, tables, windowed
from trueup.cli.databases import named_pair
from trueup.cli.exits import VERDICTS, ExitCode
from trueup.cli.options import FILE, answering, as_json, source_version, target_version
from trueup.cli.repairing import reserved, write_repair
from trueup.cli.terminal import progress, show_notes, show_section
from trueup.parity.data import Bounds, Window, compare
from trueup.parity.data import as_json as table_as_json
from trueup.report.json import envelope
from trueup.settings import Settings
from trueup.verify.pair import renewed
from trueup.verify.rows import data_section


@click.group()
def data() -> None:
    """Compare the rows of two databases."""


@data.command("diff")
@click.argument("source", metavar="SOURCE")
@click.argument("target", metavar="TARGET")
@tables
@click.option(
    "--max-rows",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    help="List so many differing rows of a table at most; the others are counted.",
)
@windowed
@recheck
@paranoid
@click.option(
    "--repair",
    type=FILE,
    help="Write the SQL that makes these rows of TARGET like SOURCE, which nothing runs, and the way back beside it.",
)
@source_version
@target_version
@as_json
def diff_command(
    *,
    source: str,
    target: str,
    tables: tuple[str, ...],
    max_rows: int,
    window: Window,
    recheck_s: float | None,
    paranoid: bool,
    repair: Path | None,
    source_version: str | None,
    target_version: str | None,
    as_json: bool,
) -> ExitCode:
    """Say which rows of TARGET differ from those of SOURCE: by key, and in which columns."""
    with (
        answering("data", as_json=as_json),
        reserved(repair),
        progress() as announce,
        named_pair(source, target, (source_version, target_version)) as pair,
    ):
        settings = Settings.load()
        again = chosen_recheck(recheck_s, settings)
        found = compare(
            pair.source,
            pair.target,
            tables=tables or None,
            bounds=Bounds(max_rows=max_rows),
            conversions=settings.conversions,
            window=window,
            recheck=again,
            is_paranoid=paranoid,
            on_progress=lambda progress: announce(str(progress)),
        )
        section = data_section(found, window)
        # What is still different was so after the first snapshots, too.
        with renewed(pair) if repair and again else nullcontext(pair) as latest:
            written = write_repair(repair, latest, found, settings.conversions) if repair else None
    if as_json:
        listed = list(map(table_as_json, found))
        more: dict[str, object] = {"repair": written.as_json} if written else {}
        if window:
            more["window"] = window.as_json()
        click.echo(envelope(section.verdict, section.findings, tables=listed, compared=section.compared, **more))
    else:
        show_section(section)
        show_notes((*section.notes, *(written.lines if written else ())))
    return VERDICTS[section.verdict]
