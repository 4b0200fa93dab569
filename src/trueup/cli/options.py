"""What several commands take, and how they answer a caller that wants JSON."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import click

from trueup.cli.exits import verdict_of
from trueup.errors import DatabaseError, Refused, Unverifiable, UsageError
from trueup.report.json import envelope
from trueup.report.model import Finding
from trueup.tables import CleanUpRefused

Command = Callable[..., Any]
Versions = tuple[int | None, int | None]
"""Of PostgreSQL, on which source and target are built where they have to be; None: the usual one."""
VERSIONS = click.Choice(["16", "18"])
FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout instead of text.")
SOURCE_VERSION = click.option(
    "--source-version", type=VERSIONS, help="The PostgreSQL on which a source that is a file or a folder is built."
)
TARGET_VERSION = click.option(
    "--target-version", type=VERSIONS, help="The PostgreSQL on which a target that is a file or a folder is built."
)
profile = click.option(
    "--profile",
    metavar="NAME",
    help="Compare without what a host adds, and count it: supabase, none, or a profile of the configuration.",
)


def versioned(command: Command) -> Command:
    """Give a command the versions on which its sides are built, as one argument `versions`."""

    @wraps(command)
    def with_versions(*, source_version: str | None, target_version: str | None, **others: Any) -> Any:
        source, target = (None if each is None else int(each) for each in (source_version, target_version))
        return command(versions=(source, target), **others)

    return SOURCE_VERSION(TARGET_VERSION(with_versions))


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
