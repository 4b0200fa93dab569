"""`trueup report`: the front page of everything that a folder of reports holds."""

from pathlib import Path

import click

from trueup.cli.exits import ExitCode
from trueup.cli.files import make_folder, write_site
from trueup.cli.options import FOLDER


@click.command("report", short_help="Write index.html: runs, tests, coverage, benchmarks.")
@click.option("--report", "folder", type=FOLDER, default="reports", show_default=True, help="The folder.")
def report_command(*, folder: Path) -> ExitCode:
    """Write index.html: the last verification, its history, tests by session, coverage, benchmarks.

    It reads history.jsonl, tests/*.xml (JUnit), coverage/index.html and benchmarks/*.json, whichever are there.
    """
    make_folder(folder, "--report")
    click.echo(write_site(folder))
    return ExitCode.PASSED
