"""`trueup verify`: everything that is asked of two databases, in one report."""

import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from trueup.cli.databases import Databases, Versions, named_databases
from trueup.cli.exits import VERDICTS, ExitCode
from trueup.cli.options import FILE, FOLDER, as_json, source_version, target_version
from trueup.cli.terminal import progress, show_report
from trueup.errors import UsageError
from trueup.report import html, json, junit
from trueup.report.model import Report
from trueup.servers import EmbeddedServer
from trueup.settings import Settings
from trueup.verify import CHECKS, Timeline
from trueup.verify import verify as verify_databases
from trueup.verify.sample import build_sample


@click.command()
@click.option("--source", metavar="DB", envvar="TRUEUP_SOURCE", help="The truth. Also by TRUEUP_SOURCE.")
@click.option("--target", metavar="DB", envvar="TRUEUP_TARGET", help="What is held against it. Also by TRUEUP_TARGET.")
@click.option(
    "--check",
    "checks",
    multiple=True,
    type=click.Choice([check.name for check in CHECKS]),
    help="Run this check; may be given again. Without it, all run.",
)
@click.option(
    "--sample",
    type=click.Choice(["clean", "drifted"]),
    help="Verify two data sets that are moved from one embedded server to another: as they are, or with ten kinds of"
    " planted damage. Without --source and --target: clean.",
)
@source_version
@target_version
@click.option(
    "--report",
    "folder",
    type=FOLDER,
    default="reports",
    show_default=True,
    help="Write report.html and report.json there.",
)
@click.option("--junit", "junit_file", type=FILE, help="Write JUnit XML to this file, too.")
@as_json
def verify(
    *,
    source: str | None,
    target: str | None,
    checks: tuple[str, ...],
    sample: str | None,
    source_version: str | None,
    target_version: str | None,
    folder: Path,
    junit_file: Path | None,
    as_json: bool,
) -> ExitCode:
    """Verify that the target is what the source is: structure, rows and sequences.

    Both are only read. Without a database, two data sets are moved from an embedded PostgreSQL 16 to an 18.
    """
    settings, versions = Settings.load(), (source_version, target_version)
    make_folders(folder, *([junit_file.parent] if junit_file else []))
    with progress() as announce:
        timeline = Timeline(announce)
        if source and target and not sample:
            opening, title = named_databases(source, target, versions, settings), "Two databases"
        elif source or target:
            raise UsageError("name both databases, by --source and --target, or neither of them for the sample")
        else:
            kind = sample or "clean"
            opening, title = sample_databases(kind, versions, settings, timeline), f"Built-in sample, {kind}"
        with opening as databases:
            report = verify_databases(
                *databases,
                checks=[check for check in CHECKS if check.name in checks or not checks],
                timeline=timeline,
                title=title,
                command=spell(databases if source else None, sample),
            )
        page = write(report, folder, junit_file)
    if as_json:
        click.echo(json.encode(report))
    else:
        show_report(report, page)
    return VERDICTS[report.verdict]


@contextmanager
def sample_databases(kind: str, versions: Versions, settings: Settings, timeline: Timeline) -> Iterator[Databases]:
    """Build the sample on two embedded servers, which end with the context."""
    with ExitStack() as stack:
        with timeline.phase("start two servers"):
            source, target = (
                stack.enter_context(EmbeddedServer(int(version or default), cache_folder=settings.cache_folder))
                for version, default in zip(versions, (16, 18), strict=True)
            )
        built = build_sample(source, target, drifted=kind == "drifted", on_phase=timeline.phase)
        yield built[0].labelled("the sample"), built[1].labelled(f"the {kind} copy of the sample")


def spell(databases: Databases | None, sample: str | None) -> str:
    """Return the command as it could be typed again, without a password."""
    named = [part for pair in zip(("--source", "--target"), databases or (), strict=False) for part in map(str, pair)]
    return shlex.join(["trueup", "verify", *named, *(["--sample", sample] if sample else [])])


def make_folders(*folders: Path) -> None:
    """Create the folders of what will be written, before any work is done for it."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot write to {folder}: {error.strerror}; name another folder by --report") from None


def write(report: Report, folder: Path, junit_file: Path | None) -> Path:
    """Write the report in its forms, each file whole or not at all; returns the page."""
    page = folder / "report.html"
    files = {page: html.render(report).encode(), folder / "report.json": json.encode(report)}
    if junit_file:
        files[junit_file] = junit.render(report).encode()
    for file, content in files.items():
        unfinished = file.with_name(f".{file.name}.unfinished")
        unfinished.write_bytes(content)
        unfinished.replace(file)
    return page
