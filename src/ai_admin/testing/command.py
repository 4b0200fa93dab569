"""The command that counts and deletes what tests left in the salon's tables: `trueup testdata`, with its tables."""

from collections.abc import Iterable
from typing import Any

import click

from ai_admin.commands import run_command
from trueup.cli.exits import ExitCode
from trueup.cli.testdata import dry_run, max_delete, show_cleaned, show_stats
from trueup.db import Database
from trueup.settings import DatabaseSettings
from trueup.tables import Table, markers


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@dry_run
@click.option("--stats", "wants_stats", is_flag=True, help="Count the test data of each table; alone, delete nothing.")
@max_delete
@click.pass_obj
def cleanup_test_data(tables: Iterable[Table[Any]], *, dry_run: bool, wants_stats: bool, max_delete: int) -> ExitCode:
    """Delete what tests left, of all tables in one transaction, or nothing.

    The database is the one of TRUEUP_DATABASE, or of POSTGRES_HOST and its like.
    """
    given = tuple(tables)
    code = ExitCode.PASSED
    with Database(DatabaseSettings.from_env()) as db:
        if wants_stats:
            found = markers.stats(db, given)
            show_stats(found)
            if any(each.disagreements for each in found):
                code = ExitCode.FAILED
        if dry_run or not wants_stats:
            show_cleaned(markers.clean(db, given, dry_run=dry_run, max_delete=max_delete))
    return code


def main(tables: Iterable[Table[Any]], arguments: list[str] | None = None) -> int:
    """Run the command on these tables and return its exit code, which means what it means for `trueup`."""
    return run_command(cleanup_test_data, arguments, name="cleanup_test_data.py", about=tables)
