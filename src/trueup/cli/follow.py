"""`trueup data follow`: until the target is what the source is."""

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict

import click

from trueup.cli.comparing import paranoid, tables, windowed
from trueup.cli.databases import named_databases, named_profile
from trueup.cli.exits import VERDICTS, ExitCode
from trueup.cli.interrupting import told_when_interrupted
from trueup.cli.options import answering, as_json
from trueup.cli.terminal import progress, show_notes, show_section
from trueup.parity.data import Window
from trueup.parity.data import as_json as table_as_json
from trueup.report.json import envelope
from trueup.settings import Settings
from trueup.verify.following import Following, Pursuit, Round
from trueup.verify.pair import open_pair

MOST_ROUNDS = 1_000
"""The last ones, that JSON tells of."""


@click.command("follow", short_help="Compare until no row of TARGET differs.")
@click.argument("source", metavar="SOURCE")
@click.argument("target", metavar="TARGET")
@tables
@windowed
@paranoid
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Compare so many tables or parts of large ones at a time, when all rows are read.",
)
@click.option(
    "--every",
    "every_s",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="Wait so long before rows that differ are read again.",
)
@click.option(
    "--until",
    "until_s",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Give up after so long. [never]",
)
@as_json
def follow_command(
    *,
    source: str,
    target: str,
    tables: tuple[str, ...],
    window: Window,
    paranoid: bool,
    jobs: int,
    every_s: float,
    until_s: float | None,
    as_json: bool,
) -> ExitCode:
    """Compare again and again until no row of TARGET differs from SOURCE, and say when that was.

    Rows that differ are read again alone; when they agree, all rows are. A line a round says how many differ.
    """
    settings = Settings.load()
    how = Pursuit(
        tables=tables or None,
        conversions=settings.conversions,
        window=window,
        is_paranoid=paranoid,
        jobs=jobs,
        every_s=every_s,
        until_s=until_s,
    )
    rounds: deque[Round] = deque(maxlen=MOST_ROUNDS)
    profile = named_profile(None, settings)
    with (
        answering("data", as_json=as_json),
        progress() as announce,
        named_databases(source, target, (None, None), settings) as databases,
    ):

        def tell(one: Round) -> None:
            rounds.append(one)
            announce(str(one)) if as_json else click.echo(str(one))

        following = Following(lambda: open_pair(*databases, profile=profile), how)
        with told_when_interrupted(lambda: show(following, rounds, as_json=as_json)):
            following.run(tell)
    show(following, rounds, as_json=as_json)
    return VERDICTS[following.verdict]


def show(following: Following, rounds: Iterable[Round], *, as_json: bool) -> None:
    """Print what is known when it has ended."""
    section, verdict, zero = following.section, following.verdict, following.zero
    if as_json:
        click.echo(
            envelope(
                verdict,
                section.findings,
                zero=asdict(zero) if zero else None,
                reason=None if zero else following.reason,
                rounds=[{"at": one.at, "full": one.is_full, "differing": one.differing} for one in rounds],
                tables=list(map(table_as_json, following.comparisons)),
                compared=section.compared,
            )
        )
        return
    show_section(section, verdict)
    ended = f"No row differed at {zero}." if zero else f"It ended because {following.reason}."
    show_notes((*section.notes, ended))
