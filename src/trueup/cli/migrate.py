"""`trueup migrate`: plain SQL migrations, up and down."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from trueup.cli.exits import VERDICTS, ExitCode
from trueup.cli.options import VERSIONS, answering, as_json
from trueup.cli.terminal import OF_ONE, progress, show_checks
from trueup.db import connect
from trueup.db.connection import Connection
from trueup.errors import UsageError
from trueup.migrations import Migration, Migrations, migrate_down, migrate_up, read_migrations, status
from trueup.report.json import envelope
from trueup.report.model import Verdict
from trueup.servers import open_source
from trueup.settings import Settings
from trueup.verify.rehearsal import rehearse

SENTENCES = {**OF_ONE, Verdict.PASSED: "each of them can be applied, undone and applied again"}

folder_option = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of migrations. [the project's declared schema]",
)
to_option = click.option("--to", metavar="VERSION", help="Stop when this version is the newest one applied.")


@click.group(short_help="Run the migrations of a folder, or undo them.")
def migrate() -> None:
    """Run the migrations of a folder: plain SQL files in dbmate's format."""


@migrate.command()
@click.argument("database", metavar="DB")
@folder_option
@to_option
def up(*, database: str, folder: Path | None, to: str | None) -> ExitCode:
    """Apply what is pending in DB, each file all or nothing."""
    with opened(database, folder) as (connection, migrations):
        say("applied", migrate_up(connection, migrations, to=to))
    return ExitCode.PASSED


@migrate.command()
@click.argument("database", metavar="DB")
@folder_option
@to_option
@click.option("--steps", type=click.IntRange(min=1), metavar="N", help="Undo so many. [1]")
def down(*, database: str, folder: Path | None, to: str | None, steps: int | None) -> ExitCode:
    """Undo the newest migration of DB, or everything newer than --to."""
    if to and steps:
        raise UsageError("--to and --steps both say how far to go: give one of them")
    with opened(database, folder) as (connection, migrations):
        say("undone", migrate_down(connection, migrations, to=to, steps=steps or 1))
    return ExitCode.PASSED


@migrate.command("status", short_help="List each version, and whether DB has it.")
@click.argument("database", metavar="DB")
@folder_option
def status_command(*, database: str, folder: Path | None) -> ExitCode:
    """List each version and whether DB has it; exit 1 when anything is pending or unknown."""
    with opened(database, folder) as (connection, migrations):
        states = status(connection, migrations)
    for one in states:
        click.echo(f"{one.state:<8} {one.version} {one.name or '(its file is not here)'}")
    return ExitCode.PASSED if all(one.state == "applied" for one in states) else ExitCode.FAILED


@migrate.command("verify", short_help="Prove each migration and its way back.")
@folder_option
@click.option("--db-version", type=VERSIONS, help="The PostgreSQL to try them on. [18]")
@as_json
def verify_command(*, folder: Path | None, db_version: str | None, as_json: bool) -> ExitCode:
    """Apply, undo and apply again each migration on a scratch server, with rows in every table.

    The structure has to be the same each time, and what the tables held has to be there again. A file says above its
    `-- migrate:up` what it can't bring back: `-- trueup:loses SCHEMA.TABLE[.COLUMN] REASON`, or
    `-- trueup:irreversible REASON`.
    """
    settings = Settings.load()
    migrations = read_migrations(chosen(folder, settings))
    with answering("migrations", as_json=as_json, about="the migrations"), progress() as announce:
        section = rehearse(
            migrations, version=int(db_version or 18), cache_folder=settings.cache_folder, announce=announce
        )
    if as_json:
        click.echo(envelope(section.verdict, section.findings, compared=section.compared, notes=section.notes))
    else:
        show_checks([section], section.notes, sentences=SENTENCES)
    return VERDICTS[section.verdict]


@contextmanager
def opened(database: str, folder: Path | None) -> Iterator[tuple[Connection, Migrations]]:
    """Read the migrations, then connect."""
    settings = Settings.load()
    migrations = read_migrations(chosen(folder, settings))
    with open_source(database, settings) as conninfo:
        connection = connect(conninfo)
        try:
            yield connection, migrations
        finally:
            connection.close()


def chosen(folder: Path | None, settings: Settings) -> Path:
    """Return the folder that is named, or else the one that the project declares."""
    if found := folder or settings.schema:
        return found
    raise UsageError('no folder of migrations: give --folder, or declare schema = "FOLDER" under [tool.trueup]')


def say(verb: str, migrations: tuple[Migration, ...]) -> None:
    """Print what was done, a line a file."""
    for migration in migrations:
        click.echo(f"{verb} {migration.file.name}")
    if not migrations:
        click.echo(f"nothing {verb}: there was nothing to do")
