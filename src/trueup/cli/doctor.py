"""`trueup doctor`: what this machine offers, and what to do where something is missing."""

import platform
from importlib.metadata import version

import click
import psycopg

from trueup import observe
from trueup.cli.exits import ExitCode
from trueup.servers import diagnose
from trueup.settings import Settings


@click.command(short_help="Say what works here, and what is missing.")
@click.option("--send-test-event", is_flag=True, help="Send an event to the error tracker, and wait for its answer.")
def doctor(*, send_test_event: bool) -> ExitCode:
    """Say what works here: which PostgreSQL servers can be started, whether failures are reported.

    Exit 3 when no server can be started, or when the test event doesn't arrive.
    """
    settings = Settings.load()
    problems = [*show_servers(settings), *show_tracking(send_test_event=send_test_event)]
    for problem in problems:
        click.echo(problem, err=True)
    return ExitCode.UNVERIFIED if problems else ExitCode.PASSED


def show_servers(settings: Settings) -> list[str]:
    """Print what was found of servers, and return what is missing."""
    found = diagnose(settings.cache_folder)
    row("trueup", f"{version('trueup')} on Python {platform.python_version()}")
    row("driver", f"psycopg {psycopg.__version__}, libpq {psycopg.pq.version_pretty(psycopg.pq.version())}")
    for each in found.installations:
        row("server", f"PostgreSQL {each.full_version} in {each.bin_folder}")
        folder, locale = found.images.get(each.version, (None, None))
        row(
            "",
            f"starts from a copy of {folder} ({locale})" if folder else "its first start makes the copy of a cluster",
        )
    row("runs as", found.runs_as)
    row("data in", f"{found.placement.root}: {found.placement.reason}")
    row("cache in", str(settings.cache_folder))
    row("schema", str(settings.schema) if settings.schema else "none declared ([tool.trueup] schema)")
    return [found.problem] if found.problem else []


def show_tracking(*, send_test_event: bool) -> list[str]:
    """Print whether failures are reported, and return what went wrong with the test event."""
    status = observe.status()
    state = f"to {status.host} as {status.environment}" if status.is_enabled else "off"
    row("tracking", f"{state}: {status.reason}")
    if not send_test_event:
        return []
    probe = observe.send_test_event()
    row("", f"{' '.join(filter(None, ('test event', probe.event_id)))}: {probe.reason}")
    return [] if probe.is_delivered else [f"the test event did not arrive: {probe.reason}"]


def row(name: str, text: str) -> None:
    """Print one fact."""
    click.echo(f"{name:<9} {text}")
