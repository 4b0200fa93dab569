"""`trueup verify`: everything that is asked of one database, or of two, in one report."""

import shlex
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import click
from psycopg.conninfo import make_conninfo

from trueup.cli.databases import named_profile, refuse_same
from trueup.cli.exits import VERDICTS, ExitCode
from trueup.cli.files import make_folder, tell_github, write_report, write_site
from trueup.cli.options import FILE, FOLDER, Versions, as_json, versioned
from trueup.cli.terminal import progress, show_report
from trueup.conninfo import ConnInfo
from trueup.db.together import together
from trueup.errors import UsageError
from trueup.report import json
from trueup.report.model import Report
from trueup.servers import EmbeddedServer, open_source
from trueup.servers.source import CONNINFO
from trueup.settings import Settings
from trueup.verify import CHECKS, LAST_CHECKS, Timeline, choose
from trueup.verify import verify as verify_databases
from trueup.verify.alarm import Alarm, state_file
from trueup.verify.history import HISTORY, remember
from trueup.verify.sample import build_sample

Sides = tuple[ConnInfo | None, ConnInfo]
"""Source and target; None: there is no source."""
ADDRESS = ("host", "port", "dbname", "user")
NAMES = ", ".join(check.name for check in (*CHECKS, *LAST_CHECKS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Is which databases a run looks at, and how they are named."""

    source: str | None
    target: str | None
    sample: str | None
    versions: Versions

    @property
    def title(self) -> str:
        """Return what the report is about, as its reader tells it from others."""
        if self.sample:
            return f"Built-in sample, {self.sample}"
        return " and ".join(name for name in map(typed, (self.source, self.target)) if name)

    def opened(self, settings: Settings, timeline: Timeline) -> AbstractContextManager[Sides]:
        """Return what gives the connections of both."""
        if self.sample:
            return sample_databases(self.sample, self.versions, settings, timeline)
        return named_sides(self, settings)


@click.command(short_help="Verify that a database is sound, and what its source is.")
@click.option("--source", metavar="DB", envvar="TRUEUP_SOURCE", help="The truth. Also by TRUEUP_SOURCE.")
@click.option(
    "--target",
    metavar="DB",
    envvar="TRUEUP_TARGET",
    help="What is held against it, or looked at alone. Also by TRUEUP_TARGET.",
)
@click.option(
    "--check",
    "checks",
    multiple=True,
    metavar="NAME",
    help=f"Run this check; may be given again. Without it, all that have something to look at: {NAMES}, and those of"
    " the configuration.",
)
@click.option("--skip", "skipped", multiple=True, metavar="NAME", help="Don't run this check; may be given again.")
@click.option(
    "--profile", default="", metavar="NAME", help="Run the checks of nightly, ci, cutover, or one of the configuration."
)
@click.option(
    "--backup",
    type=click.Path(exists=True, path_type=Path),
    metavar="DUMP",
    help="Restore this dump of the target, and compare it.",
)
@click.option(
    "--probe",
    is_flag=True,
    help="Write a marked row to the target, and roll it back. Without it nothing is ever written.",
)
@click.option(
    "--sample",
    type=click.Choice(["clean", "drifted"]),
    help="Verify two data sets that are moved from one embedded server to another: as they are, or with ten kinds of"
    " planted damage. Without --source and --target: clean.",
)
@versioned
@click.option(
    "--report",
    "folder",
    type=FOLDER,
    default="reports",
    show_default=True,
    help="Write report.html, report.json and index.html there, and keep history.jsonl.",
)
@click.option("--junit", "junit_file", type=FILE, help="Write JUnit XML to this file, too.")
@as_json
def verify(
    *,
    source: str | None,
    target: str | None,
    checks: tuple[str, ...],
    skipped: tuple[str, ...],
    profile: str,
    backup: Path | None,
    probe: bool,
    sample: str | None,
    versions: Versions,
    folder: Path,
    junit_file: Path | None,
    as_json: bool,
) -> ExitCode:
    """Verify that the target is what the source is, and that it is sound: structure, rows, and what they promise.

    Both are only read. With --target alone it is held against what the project declares. Without a database, two data
    sets are moved from an embedded PostgreSQL 16 to an 18.
    """
    settings = Settings.load()
    wanted = which(source, target, sample, versions)
    if wanted.sample:
        settings = replace(settings, schema=None, contracts=(), services=(), checks={})
    chosen = choose(settings, profile=profile, named=checks, skipped=skipped)
    make_folder(folder, "--report")
    if junit_file:
        make_folder(junit_file.parent, "--junit")
    if profile:
        make_folder(state_file(settings.state_folder, profile).parent, "TRUEUP_STATE_DIR")
    with Alarm(settings=settings, profile=profile) if profile else nullcontext() as alarm:
        with progress() as announce:
            timeline = Timeline(announce)
            with wanted.opened(settings, timeline) as databases:
                report = verify_databases(
                    *databases,
                    checks=chosen.checks,
                    required=chosen.required,
                    settings=settings,
                    profile=None if wanted.sample else named_profile(None, settings),
                    backup=backup,
                    may_probe=probe,
                    bounds=chosen.bounds,
                    timeline=timeline,
                    title=wanted.title,
                    command=spell(wanted, profile, checks, skipped, backup, probe=probe),
                )
        report, page = publish(report, folder, junit_file, settings)
        for problem in alarm.end(report) if alarm else ():
            click.echo(f"the alert did not reach {problem}", err=True)
    if as_json:
        click.echo(json.encode(report))
    else:
        show_report(report, page)
    return VERDICTS[report.verdict]


def which(source: str | None, target: str | None, sample: str | None, versions: Versions) -> Wanted:
    """Return which databases are meant; the sample where none is named.

    Raises:
        UsageError: a source is named without a target, or a name beside the sample.
    """
    is_named = source is not None or target is not None
    if sample or not is_named:
        if is_named:
            raise UsageError("--sample brings its own databases: name none, or leave it out")
        return Wanted(source=None, target=None, sample=sample or "clean", versions=versions)
    if target is None:
        raise UsageError("name the target by --target: a source alone is held against nothing")
    return Wanted(source=source, target=target, sample=None, versions=versions)


@contextmanager
def sample_databases(kind: str, versions: Versions, settings: Settings, timeline: Timeline) -> Iterator[Sides]:
    """Build the sample on two embedded servers, which end with the context."""
    source, target = (
        EmbeddedServer(version or default, cache_folder=settings.cache_folder)
        for version, default in zip(versions, (16, 18), strict=True)
    )
    with ExitStack() as stack:
        with timeline.phase("start two servers"):
            stack.enter_context(together(source, target))
        built = build_sample(source, target, drifted=kind == "drifted", on_phase=timeline.phase)
        yield built[0].labelled("the sample"), built[1].labelled(f"the {kind} copy of the sample")


@contextmanager
def named_sides(wanted: Wanted, settings: Settings) -> Iterator[Sides]:
    """Give the connections of the databases that are named; what was built for them ends with the context."""
    for_source, for_target = (version or 18 for version in wanted.versions)
    assert wanted.target is not None
    source: AbstractContextManager[ConnInfo | None] = nullcontext()
    if wanted.source is not None:
        refuse_same(wanted.source, wanted.target, wanted.versions, settings)
        source = open_source(wanted.source, settings, version=for_source)
    with together(source, open_source(wanted.target, settings, version=for_target)) as sides:
        yield sides


def publish(report: Report, folder: Path, junit_file: Path | None, settings: Settings) -> tuple[Report, Path]:
    """Write a report wherever it is wanted; return it, with what has changed since the last run, and its page."""
    report = remember(report, folder / HISTORY)
    page = write_report(report, folder, junit_file)
    write_site(folder)
    if settings.github.is_enabled:
        tell_github(report, settings.github.summary_file)
    return report, page


def spell(
    wanted: Wanted, profile: str, checks: Iterable[str], skipped: Iterable[str], backup: Path | None, *, probe: bool
) -> str:
    """Return the command as it can be typed again, without a password."""
    source, target = wanted.versions
    options = (
        *(("--sample", wanted.sample), ("--source", typed(wanted.source)), ("--target", typed(wanted.target))),
        *(("--source-version", source), ("--target-version", target), ("--profile", profile)),
        *(("--check", name) for name in checks),
        *(("--skip", name) for name in skipped),
        ("--backup", backup),
    )
    words = chain.from_iterable((option, str(value)) for option, value in options if value)
    return shlex.join(["trueup", "verify", *words, *["--probe"] * probe])


def typed(name: str | None) -> str | None:
    """Return the name of a database as it was given, a connection string by its address alone."""
    if not name or not CONNINFO.match(name):
        return name
    conninfo = ConnInfo.parse(name)
    if not conninfo.parameters.get("host", "").startswith("/"):
        return str(conninfo)
    return make_conninfo(**{part: conninfo.parameters[part] for part in ADDRESS if part in conninfo.parameters})
