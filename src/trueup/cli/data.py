"""`trueup data`: what rows two databases hold."""

from contextlib import nullcontext
from pathlib import Path

import click

from trueup.cli.bounding import Effort, bounded
from trueup.cli.comparing import chosen_recheck, paranoid, recheck, tables, windowed
from trueup.cli.databases import named_pair
from trueup.cli.exits import VERDICTS, ExitCode
from trueup.cli.follow import follow_command
from trueup.cli.interrupting import told_when_interrupted
from trueup.cli.options import FILE, Versions, answering, as_json, versioned
from trueup.cli.repairing import WrittenRepair, reserved, write_repair
from trueup.cli.terminal import progress, show_notes, show_section
from trueup.parity.data import Ledger, Recheck, Resumption, TableComparison, Window, compare, open_state
from trueup.parity.data import as_json as table_as_json
from trueup.report.json import envelope
from trueup.report.model import Verdict
from trueup.settings import Settings
from trueup.verify.pair import renewed
from trueup.verify.resuming import resumed_section
from trueup.verify.rows import data_section, outcomes, unbegun_section


@click.group()
def data() -> None:
    """Compare the rows of two databases."""


data.add_command(follow_command)


@data.command("diff", short_help="Say which rows of TARGET differ from those of SOURCE.")
@click.argument("source", metavar="SOURCE")
@click.argument("target", metavar="TARGET")
@tables
@bounded
@windowed
@recheck
@paranoid
@click.option(
    "--repair",
    type=FILE,
    help="Write the SQL that makes these rows of TARGET like SOURCE, which nothing runs, and the way back beside it.",
)
@click.option(
    "--state",
    "state_file",
    type=FILE,
    help="Keep there what was compared, and go on there where an earlier run was stopped. It names rows by their keys.",
)
@versioned
@as_json
def diff_command(
    *,
    source: str,
    target: str,
    tables: tuple[str, ...],
    effort: Effort,
    window: Window,
    recheck_s: float | None,
    paranoid: bool,
    repair: Path | None,
    state_file: Path | None,
    versions: Versions,
    as_json: bool,
) -> ExitCode:
    """Say which rows of TARGET differ from those of SOURCE: by key, and in which columns."""
    ledger, settings, written = Ledger(), Settings.load(), None
    again = chosen_recheck(recheck_s, settings)

    def tell() -> ExitCode:
        return show(ledger.comparisons(), window, again, as_json=as_json, is_interrupted=True)

    with (
        told_when_interrupted(tell),
        answering("data", as_json=as_json),
        reserved(repair),
        open_state(state_file) if state_file else nullcontext() as state,
        progress() as announce,
        named_pair(source, target, versions) as pair,
        effort.engaged([pair.source.snapshot.conninfo, pair.target.snapshot.conninfo]) as (bounds, executor),
    ):
        ledger = state.ledger if state else ledger
        found = compare(
            pair.source,
            pair.target,
            tables=tables or None,
            bounds=bounds,
            conversions=settings.conversions,
            window=window,
            recheck=again,
            is_paranoid=paranoid,
            ledger=ledger,
            executor=executor,
            on_progress=lambda progress: announce(str(progress)),
        )
        if repair:
            # What is still different was so after the first snapshots, too.
            with renewed(pair) if again else nullcontext(pair) as latest:
                written = write_repair(repair, latest, found, settings.conversions)
    resumption = state.resumption if state else None
    return show(found, window, again, as_json=as_json, written=written, resumption=resumption)


def show(
    found: tuple[TableComparison, ...],
    window: Window,
    recheck: Recheck | None,
    *,
    as_json: bool,
    written: WrittenRepair | None = None,
    resumption: Resumption | None = None,
    is_interrupted: bool = False,
) -> ExitCode:
    """Print what was found; return the exit code. A comparison that was stopped verified nothing, whatever it found."""
    section = data_section(found, window, recheck=recheck) if found or not is_interrupted else unbegun_section()
    if resumption:
        section = resumed_section(section, resumption)
    is_whole = not is_interrupted and not any(one.is_stopped for one in found)
    verdict = section.verdict if is_whole else Verdict.INCONCLUSIVE
    if as_json:
        beside: dict[str, object] = {
            "repair": written and written.as_json,
            "window": window.as_json() if window else None,
            "resumed": resumption and resumption.as_json,
            "recheck": recheck and recheck_json(found, recheck),
        }
        click.echo(
            envelope(
                verdict,
                section.findings,
                tables=list(map(table_as_json, found)),
                compared=section.compared,
                **{name: each for name, each in beside.items() if each is not None},
            )
        )
    else:
        show_section(section, verdict)
        show_notes((*section.notes, *(written.lines if written else ())))
    return VERDICTS[verdict]


def recheck_json(found: tuple[TableComparison, ...], recheck: Recheck) -> dict[str, object]:
    """Return what became of rows that were read again, as JSON has it."""
    counts = {outcome.replace(" ", "_"): count for outcome, count in outcomes(found).items()}
    return {**counts, "seconds": recheck.seconds}
