"""`trueup serve`: the pages of health."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import click

from trueup.cli.exits import ExitCode
from trueup.db import Database
from trueup.errors import UsageError
from trueup.servers import open_source
from trueup.settings import DatabaseSettings, Settings
from trueup.verify.alarm import read_state, state_file
from trueup.verify.domain import load_check

try:
    from trueup.health import Watch, application, check_database, check_runs, check_tracking, domain_check, serve
    from trueup.health.server import listen
except ImportError as error:  # pragma: no cover — the development environment has the extra
    raise UsageError(f"{error.name} is not installed: pip install 'trueup[health]'") from None

NAMES_TAKEN = frozenset({"live", "ready", "database", "tracking", "nightly"})


@click.command("serve", short_help="Serve the pages of health, and metrics.")
@click.argument("database", metavar="[DB]", required=False)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="HOST", help="Where to listen.")
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Where to listen; 0 is any free one.",
)
@click.option(
    "--every",
    default=5.0,
    show_default=True,
    type=click.FloatRange(0.1),
    metavar="SECONDS",
    help="Wait so long between two checks.",
)
def serve_command(*, database: str | None, host: str, port: int, every: float) -> ExitCode:
    """Serve /health, /health/live, /health/ready, /health/database, /health/tracking, /health/nightly, /metrics.

    DB is the database of the environment unless it is named. Each check of [tool.trueup.checks] has a page of its own.
    Details and metrics are for requests that bear the token of TRUEUP_HEALTH_TOKEN.
    """
    settings = Settings.load()
    functions = {name: load_function(name, place) for name, place in settings.checks.items()}
    stamp = state_file(settings.state_folder, "nightly")
    try:
        listening = listen(host, port)
    except OSError as error:
        raise UsageError(f"{host}:{port}: {error.strerror or error}: choose another --host or --port") from None
    with listening, opened(database, settings, len(functions) + 1) as db:
        checks = {
            "database": check_database(db, settings.services),
            "tracking": check_tracking,
            "nightly": check_runs(lambda: read_state(stamp), is_awaited="nightly" in settings.profiles),
        }
        checks |= {name: domain_check(db, function) for name, function in functions.items()}
        watches = [Watch(name, check, interval_s=every) for name, check in checks.items()]
        click.echo(f"http://{host}:{listening.getsockname()[1]}/health", err=True)
        signal.signal(signal.SIGTERM, lambda *_: None)
        serve(application(watches, db.statistics, token=settings.health_token), listening)
    return ExitCode.PASSED


def load_function(name: str, place: str) -> Callable[[Database], object]:
    """Return the project's own check of a name.

    Raises:
        UsageError: the name is taken, or there is no function at its place.
    """
    if name in NAMES_TAKEN:
        raise UsageError(f"checks: {name} is a page of its own: choose another name")
    return load_check(name, place)


@contextmanager
def opened(name: str | None, settings: Settings, connections: int) -> Iterator[Database]:
    """Give the database that is watched, with a pool that gives up within a second."""
    with ExitStack() as stack:
        conninfo = settings.database.conninfo if name is None else stack.enter_context(open_source(name, settings))
        quick = DatabaseSettings(
            conninfo=conninfo,
            service="health",
            max_connections=connections,
            checkout_timeout_s=1,
            connect_timeout_s=1,
            statement_timeout_s=1,
            lock_timeout_s=1,
        )
        yield stack.enter_context(Database(quick))
