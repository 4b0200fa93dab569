"""What several commands take, and how they answer a caller that wants JSON."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from trueup.cli.exits import verdict_of
from trueup.errors import DatabaseError, Refused, Unverifiable, UsageError
from trueup.report.json import envelope
from trueup.report.model import Finding
from trueup.tables import CleanUpRefused

VERSIONS = click.Choice(["16", "18"])
FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout instead of text.")
source_version = click.option(
    "--source-version", type=VERSIONS, help="The PostgreSQL on which a source that is a file or a folder is built."
)
profile = click.option(
    "--profile",
    metavar="NAME",
    help="Compare without what a host adds, and count it: supabase, none, or a profile of the configuration.",
)
target_version = click.option(
    "--target-version", type=VERSIONS, help="The PostgreSQL on which a target that is a file or a folder is built."
)


@contextmanager
def answering(command: str, *, as_json: bool, about: str = "both databases") -> Iterator[None]:
    """Print a JSON object, where the caller wants one, even for a command that could not do what it is for."""
    try:
        yield
    except UsageError:
        raise
    except (Refused, DatabaseError, Unverifiable) as error:
        if as_json:
            verdict = verdict_of(error)
            said = {about: str(error)}
            if isinstance(error, CleanUpRefused):
                said = {objection.table: objection.reason for objection in error.objections}
            findings = [
                Finding(check=command, verdict=verdict, severity=None, object=place, message=message)
                for place, message in said.items()
            ]
            click.echo(envelope(verdict, findings))
        raise
