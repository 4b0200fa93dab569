"""The command that deletes expired keys: what people and cron call."""

from datetime import datetime
from time import monotonic
from typing import Any

import click
import msgspec

from ai_admin.commands import run_command
from ai_admin.sessions.cleanup import Cleanup, Selection, clean_up, plan_cleanup
from ai_admin.sessions.model import DEFAULT_TTL, KINDS, Worth, types_worth
from trueup.db import Database
from trueup.settings import DatabaseSettings

SCHEMA_VERSION = 1

EPILOG = "\b\nTypes that are deleted only when they are named, because it costs messages:\n" + "\n".join(
    f"  {name:<11} {KINDS[name].loss}" for name in types_worth(Worth.COSTLY)
)


class Types(click.ParamType[tuple[str, ...]]):
    """Reads names that are separated by commas."""

    name = "TYPE[,TYPE…]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return the names; a misspelled one is an error."""
        if isinstance(value, tuple):
            return value
        names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
        for name in names:
            if name not in KINDS:
                self.fail(f"{name!r} is no type of key; there are {', '.join(KINDS)}", param, ctx)
        return names


class Instant(click.ParamType[datetime]):
    """Reads an instant in ISO 8601, with its offset."""

    name = "INSTANT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the instant."""
        if isinstance(value, datetime):
            return value
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            instant = None
        if instant is None or instant.utcoffset() is None:
            self.fail("write it as a dry run prints it, with its offset: 2030-01-07T10:00:00+00:00", param, ctx)
        return instant


@click.command(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--company-id", metavar="ID", help="The company whose keys are cleaned up.")
@click.option("--all", "all_companies", is_flag=True, help="Clean up the keys of every company.")
@click.option("--dry-run", is_flag=True, help="Count what would be deleted; delete nothing.")
@click.option("--types", type=Types(), default=tuple(DEFAULT_TTL), help="Only these; else what can be fetched again.")
@click.option("--max-delete", type=click.IntRange(min=0), metavar="N", help="Delete nothing if there are more.")
@click.option("--as-of", type=Instant(), help="Only what had expired by then: delete just what a dry run counted.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def cleanup_whatsapp_keys(
    *,
    company_id: str | None,
    all_companies: bool,
    dry_run: bool,
    types: tuple[str, ...],
    max_delete: int | None,
    as_of: datetime | None,
    as_json: bool,
) -> None:
    """Delete WhatsApp keys that have expired, in batches.

    The database is the one of TRUEUP_DATABASE, or of POSTGRES_HOST and its like.
    """
    if all_companies == (company_id is not None):
        raise click.UsageError("give either --company-id ID or --all")
    started = monotonic()
    selection = Selection(company_id=company_id, types=types, as_of=as_of)
    with Database(DatabaseSettings.from_env()) as db:
        done = plan_cleanup(db, selection) if dry_run else clean_up(db, selection, max_delete=max_delete)
    seconds = monotonic() - started
    if as_json:
        show_json(done, types, seconds=seconds)
    else:
        show_text(done, seconds=seconds)


def show_json(done: Cleanup, types: tuple[str, ...], *, seconds: float) -> None:
    """Print the one object."""
    shown = {
        "schema_version": SCHEMA_VERSION,
        "dry_run": done.is_dry_run,
        "as_of": done.as_of,
        "types": types,
        "losses": done.losses,
        "expired_keys": done.total,
        "deleted_keys": 0 if done.is_dry_run else done.total,
        "keys": [{"company_id": company, "type": kind, "keys": count} for (company, kind), count in done.keys.items()],
        "seconds": round(seconds, 3),
    }
    click.echo(msgspec.json.encode(shown))


def show_text(done: Cleanup, *, seconds: float) -> None:
    """Print a line a company and type, and the sum; what it costs goes to stderr."""
    for name, loss in done.losses.items():
        click.echo(f"{name}: {loss}", err=True)
    for (company, kind), count in done.keys.items():
        click.echo(f"{company:<20} {kind:<20} {count:>8}")
    if done.is_dry_run:
        click.echo(f"Would delete {done.total} expired keys, as of {done.as_of.isoformat()}")
    else:
        click.echo(f"Deleted {done.total} expired keys in {1000 * seconds:.0f} ms")


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code, which means what it means for `trueup`."""
    return run_command(cleanup_whatsapp_keys, arguments, name="cleanup_whatsapp_keys.py")
