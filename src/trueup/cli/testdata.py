"""`trueup testdata`: what tests left on a database, and its clean-up."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
import psycopg

from trueup.cli.exits import VERDICTS, ExitCode
from trueup.cli.options import answering, as_json
from trueup.conninfo import ConnInfo
from trueup.db import Connection, Database, connect, named_errors
from trueup.errors import PermissionMissing
from trueup.report.json import envelope
from trueup.report.model import Finding, Severity, Verdict, failure
from trueup.servers import open_source
from trueup.settings import DatabaseSettings, Settings
from trueup.tables import markers
from trueup.tables.declared import declared_tables
from trueup.testing.live.permission import forbid_test_data, permit_test_data

DATABASE = "the database"
REMEDY = (
    "look at these rows: what is test data can be deleted by hand, a marker that real rows have needs another value"
)
dry_run = click.option(
    "--dry-run", is_flag=True, help="Do the same, triggers and constraints included, and roll it back."
)
max_delete = click.option(
    "--max-delete",
    type=click.IntRange(min=0),
    default=markers.MOST_ROWS,
    show_default=True,
    metavar="N",
    help="Refuse to delete more rows than that, all tables together.",
)


@click.group()
def testdata() -> None:
    """Count and delete what tests left on a live database.

    A row is test data when it carries the marker of its table's contract and tests made it, or when it points to such a
    row by its marker. Which rows tests made stands in the database itself, in the table trueup.made.
    """


@testdata.command(short_help="Count the test data in DB.")
@click.argument("database", metavar="DB")
@as_json
def stats(*, database: str, as_json: bool) -> ExitCode:
    """Count the test data in DB, and say whether the markers and what tests wrote down mean the same rows."""
    settings = Settings.load()
    tables = declared_tables(settings.contracts)
    with answering("testdata", as_json=as_json, about=DATABASE), opened(database, settings) as db:
        found = markers.stats(db, tables)
    findings = [finding_of(each) for each in found if each.disagreements]
    verdict = Verdict.FAILED if findings else Verdict.PASSED
    if as_json:
        compared = {"tables": len(found), "rows": sum(each.marked + each.changed for each in found)}
        click.echo(envelope(verdict, findings, tables=found, compared=compared))
    else:
        show_stats(found)
    return VERDICTS[verdict]


@testdata.command()
@click.argument("database", metavar="DB")
@dry_run
@max_delete
@as_json
def clean(*, database: str, dry_run: bool, max_delete: int, as_json: bool) -> ExitCode:
    """Delete the test data in DB, all of it or nothing.

    Refused, with tables and numbers of rows, when a marker matches rows that no test made, or a row that is no test
    data hangs on one that is.
    """
    settings = Settings.load()
    tables = declared_tables(settings.contracts)
    with answering("testdata", as_json=as_json, about=DATABASE), opened(database, settings) as db:
        done = markers.clean(db, tables, dry_run=dry_run, max_delete=max_delete)
    if as_json:
        listed = [{"table": table, "rows": rows} for table, rows in done.tables.items()]
        compared = {"tables": len(listed), "rows": done.rows}
        facts = {"dry_run": dry_run, "rows": done.rows, "tables": listed, "seconds": done.seconds}
        click.echo(envelope(Verdict.PASSED, (), **facts, compared=compared))
    else:
        show_cleaned(done)
    return ExitCode.PASSED


@testdata.command()
@click.argument("database", metavar="DB")
@click.option("--revoke", is_flag=True, help="Take the permission back; what tests have left can still be cleaned up.")
def allow(*, database: str, revoke: bool) -> ExitCode:
    """Permit tests to leave marked rows in DB; its owner runs this, once.

    Creates the table trueup.made, where every row that a test makes is written down, and stores the permission in a
    setting of the database.
    """
    with open_source(database, Settings.load()) as conninfo, named_errors(conninfo), connected(conninfo) as connection:
        if revoke:
            forbid_test_data(connection)
        else:
            markers.create_journal(connection)
            permit_test_data(connection)
    click.echo(f"{conninfo}: tests may {'no longer ' if revoke else ''}leave marked rows here")
    return ExitCode.PASSED


@contextmanager
def connected(conninfo: ConnInfo) -> Iterator[Connection]:
    """Give a connection in a transaction, for the owner of the database.

    Raises:
        PermissionMissing: the role isn't its owner.
    """
    connection = connect(conninfo)
    try:
        with connection.transaction():
            yield connection
    except psycopg.errors.InsufficientPrivilege as error:
        message = f"{error.diag.message_primary} ({conninfo}): log in as the owner of the database"
        raise PermissionMissing(message, sqlstate=error.sqlstate) from error
    finally:
        connection.close()


@contextmanager
def opened(name: str, settings: Settings) -> Iterator[Database]:
    """Give the database of a name."""
    with (
        open_source(name, settings) as conninfo,
        Database(DatabaseSettings(conninfo=conninfo, max_connections=1)) as db,
    ):
        yield db


def finding_of(stats: markers.TableStats) -> Finding:
    """Return the disagreement of marker and journal as a finding."""
    return failure(
        "testdata",
        stats.table,
        " and ".join(stats.disagreements),
        "No test data of any table is deleted until both agree.",
        REMEDY,
        severity=Severity.BEHAVIOURAL,
    )


def show_stats(found: Sequence[markers.TableStats]) -> None:
    """Print a line a table, and what disagrees."""
    width = max(len(each.table) for each in found)
    for each in found:
        click.echo(f"{each.table:<{width}}  {each.marked:>6} marked, {each.made:>6} made by tests")
    for each in found:
        for text in each.disagreements:
            click.echo(f"{each.table}: {text}; {REMEDY}")


def show_cleaned(done: markers.Cleaned) -> None:
    """Print a line a table that had test data, and the sum."""
    for table, rows in done.tables.items():
        if rows:
            click.echo(f"{rows:>6} {table}")
    records = f"{done.rows:,} test record{'' if done.rows == 1 else 's'}"
    milliseconds = round(done.seconds * 1000)
    click.echo(f"Would delete {records}" if done.dry_run else f"Deleted {records} in {milliseconds:,} ms")
