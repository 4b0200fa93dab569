"""Which rows a command compares, and how: options of several commands."""

from functools import wraps
from typing import Any

import click

from trueup.cli.options import Command
from trueup.parity.data import Condition, Recheck, Sample, Since, Window
from trueup.settings import Settings

tables = click.option(
    "--table", "tables", multiple=True, metavar="T", help="Compare this table; may be given again. [all]"
)
paranoid = click.option("--paranoid", is_flag=True, help="Hash each row with 128 bits, by two functions.")
recheck = click.option(
    "--recheck",
    "recheck_s",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Read rows that differ again after a pause, until they agree or stay as they are; longer than TARGET lags. 0:"
    " never. [the configuration's recheck]",
)
WHERE = click.option(
    "--where",
    multiple=True,
    metavar="[TABLE:]EXPR",
    help="Compare only rows for which this SQL holds on their side, of one table or of all; may be given again.",
)
SINCE = click.option(
    "--since",
    metavar="COLUMN=VALUE",
    help="Compare only rows from this value on; tables without the column are named as not compared.",
)
SAMPLE = click.option(
    "--sample",
    metavar="N|N%",
    help="Compare about so many rows of each table, or such a share, the same in every run. Never passes.",
)


def windowed(command: Command) -> Command:
    """Give a command the options of a window, as one argument `window`."""

    @wraps(command)
    def with_window(*, where: tuple[str, ...], since: str | None, sample: str | None, **others: Any) -> Any:
        window = Window(
            where=tuple(map(Condition.parse, where)),
            since=Since.parse(since) if since is not None else None,
            sample=Sample.parse(sample) if sample is not None else None,
        )
        return command(window=window, **others)

    return WHERE(SINCE(SAMPLE(with_window)))


def chosen_recheck(seconds: float | None, settings: Settings) -> Recheck | None:
    """Return how rows are read again: as the command line says, else as the configuration does."""
    chosen = settings.recheck if seconds is None else seconds
    return Recheck(seconds=chosen) if chosen else None
