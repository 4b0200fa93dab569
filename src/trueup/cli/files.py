"""What a run of `trueup verify` leaves: the report in its forms, and what a workflow of GitHub shows of it."""

from pathlib import Path
from tempfile import TemporaryFile

import click

from trueup.errors import Unverifiable, UsageError
from trueup.report import github, html, json, junit
from trueup.report.model import Report
from trueup.report.reading import read_site


def make_folder(folder: Path, option: str) -> None:
    """Create the folder that an option names, and see that it takes files, before any work is done for it.

    Raises:
        UsageError: it can't be created, or takes none.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror}; name another folder by {option}") from None


def write_report(report: Report, folder: Path, junit_file: Path | None) -> Path:
    """Write the report in its forms, each file whole or not at all; returns the page."""
    page = folder / "report.html"
    write(page, html.render(report).encode())
    write(folder / "report.json", json.encode(report))
    if junit_file:
        write(junit_file, junit.render(report).encode())
    return page


def write_site(folder: Path) -> Path:
    """Write the front page of everything that the folder of reports holds; returns it."""
    page = folder / "index.html"
    write(page, html.render_site(read_site(folder)).encode())
    return page


def write(file: Path, content: bytes) -> None:
    """Write a file, whole or not at all.

    Raises:
        Unverifiable: there is no room, or it isn't to be written any more.
    """
    unfinished = file.with_name(f".{file.name}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(file)
    except OSError as error:
        raise Unverifiable(f"cannot write {file}: {error.strerror}; make room, or name another folder") from None


def tell_github(report: Report, summary_file: Path | None) -> None:
    """Print an annotation for each finding, on stderr, where a workflow reads it too, and add to the step's summary."""
    for line in github.annotations(report):
        click.echo(line, err=True)
    if summary_file:
        with summary_file.open("a", encoding="utf-8") as opened:
            opened.write(github.summary(report))
