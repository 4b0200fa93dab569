"""`trueup doctor`: what this machine offers, and what to do where something is missing."""

import platform
from importlib.metadata import version

import click
import psycopg

from trueup.cli.exits import ExitCode
from trueup.servers import diagnose
from trueup.settings import Settings


@click.command()
def doctor() -> ExitCode:
    """Say which PostgreSQL servers can be started here, where from and where to; exit 3 when there is none."""
    settings = Settings.load()
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
    if found.remedy:
        click.echo(f"no embedded PostgreSQL: {found.remedy}", err=True)
        return ExitCode.UNVERIFIED
    return ExitCode.PASSED


def row(name: str, text: str) -> None:
    """Print one fact."""
    click.echo(f"{name:<9} {text}")
