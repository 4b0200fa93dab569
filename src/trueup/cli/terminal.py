"""What people see: data on stdout, progress on stderr and only on a terminal."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from trueup.report.model import Finding, Report, Section, Severity, Verdict, worst
from trueup.report.page import development
from trueup.report.text import printable
from trueup.report.wording import amounts, duration

LOOKS = {
    Verdict.PASSED: ("✓", "bold green"),
    Verdict.FAILED: ("✗", "bold red"),
    Verdict.INCONCLUSIVE: ("?", "bold yellow"),
    Verdict.REFUSED: ("■", "bold magenta"),
}
SEVERITY_STYLES = {
    Severity.BREAKING: "red",
    Severity.LOSSY: "yellow",
    Severity.BEHAVIOURAL: "cyan",
    Severity.COSMETIC: "dim",
    None: "yellow",
}
SEVERITIES = (*Severity, None)
MOST_DETAILS = 5
NUMBERS = frozenset({"connections", "findings", "time"})
"""The columns of tables that hold numbers."""
UNLIMITED = 100_000
"""More characters than any line has."""

Sentences = Mapping[Verdict, str]
"""What each verdict means, the number of failures as `{}` and its plural as `{s}`."""
OF_TWO: Sentences = {
    Verdict.PASSED: "the target is what the source is, in everything that was compared",
    Verdict.FAILED: "{} difference{s} found",
    Verdict.INCONCLUSIVE: "not everything could be compared, so nothing is called equal",
    Verdict.REFUSED: "nothing was compared",
}
OF_ONE: Sentences = {
    Verdict.PASSED: "everything that was looked at holds",
    Verdict.FAILED: "{} failure{s} found",
    Verdict.INCONCLUSIVE: "not everything could be looked at, so nothing is called sound",
    Verdict.REFUSED: "nothing was looked at",
}

out = Console(highlight=False, soft_wrap=True, emoji=False)


def shown(text: str) -> str:
    """Return a text as rich prints it to the letter: without a style, and without what a terminal would obey."""
    return escape(printable(text))


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Show what is going on, on stderr; yields the function that says it. Silent where stderr is no terminal."""
    console = Console(stderr=True, emoji=False)
    with console.status("starting") as status:
        yield lambda text: status.update(one_line(text, console.width - 2))


def one_line(text: str, width: int) -> Text:
    """Return a text that takes no second line, where the first could not be wiped away."""
    line = Text(printable(text))
    line.truncate(width, overflow="ellipsis")
    return line


def show_report(report: Report, page: Path) -> None:
    """Print a whole run: what was compared, what was found, the verdict, and where the page is."""
    for side in report.sides:
        out.print(f"[dim]{side.role:<8}[/] {shown(side.name)} [dim]({shown(side.server)})[/]")
    show_sections(report.sections)
    show_findings(report.findings, elsewhere="see the report")
    for note in report.notes:
        out.print(shown(note), style="dim")
    for past in report.changes.gone if report.changes else ():
        out.print(f"[dim]{'gone':<12} {shown(past.object)}  {shown(past.message)}[/]")
    if text := development(report):
        out.print(shown(text))
    show_verdict(report.verdict, report.findings, OF_TWO if len(report.sides) == 2 else OF_ONE)
    out.print(f"[dim]report  [/] {shown(str(page))}")


def show_section(section: Section, verdict: Verdict | None = None, *, sentences: Sentences = OF_TWO) -> None:
    """Print one check: what it compared, what it found, and its verdict, or that of the command where it is another."""
    show_sections([section])
    show_findings(section.findings)
    show_verdict(verdict or section.verdict, section.findings, sentences)


def show_checks(sections: Sequence[Section], notes: Sequence[str], *, sentences: Sentences = OF_TWO) -> None:
    """Print several checks, what to know beside them, and the verdict of all."""
    findings = [finding for section in sections for finding in section.findings]
    show_sections(sections)
    show_findings(findings)
    show_notes(notes)
    show_verdict(worst(section.verdict for section in sections), findings, sentences)


def show_notes(notes: Iterable[str]) -> None:
    """Print what a reader has to know beside a section."""
    for note in notes:
        out.print(shown(note), style="dim")


def show_verdict(verdict: Verdict, findings: Iterable[Finding], sentences: Sentences) -> None:
    """Print the verdict and what it means."""
    mark, style = LOOKS[verdict]
    failed = sum(finding.verdict is Verdict.FAILED for finding in findings)
    sentence = sentences[verdict].format(failed, s="s" if failed != 1 else "")
    out.print(f"[{style}]{mark} {verdict}[/]  {shown(sentence)}")


def show_sections(sections: Sequence[Section]) -> None:
    """Print one line a check: its verdict, what it compared, and how long it took where that was measured."""
    is_timed = any(section.seconds for section in sections)
    table = table_of("", "check", "compared", "findings", *(["time"] if is_timed else []))
    for section in sections:
        mark, style = LOOKS[section.verdict]
        table.add_row(
            f"[{style}]{mark}[/]",
            shown(section.title),
            shown(amounts(section.compared)),
            str(len(section.findings)),
            *([duration(section.seconds)] if is_timed else []),
        )
    show_table(table)


def table_of(*headings: str) -> Table:
    """Return a table without rows, whose columns of numbers end at the right."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in headings:
        table.add_column(heading, justify="right" if heading in NUMBERS else "left", overflow="fold")
    return table


def show_table(table: Table) -> None:
    """Print a table: on a terminal as wide as that is, elsewhere a line a row, however long."""
    if out.is_terminal:
        out.print(table)
        return
    wide = Console(width=UNLIMITED, force_terminal=False, emoji=False)
    with wide.capture() as captured:
        wide.print(table)
    for line in captured.get().splitlines():
        out.print(line.rstrip(), markup=False)


def show_findings(findings: Sequence[Finding], *, elsewhere: str = "--json lists them") -> None:
    """Print each finding, the worst first: what, where, its first details and where the others are, what to do."""
    for finding in sorted(findings, key=lambda one: SEVERITIES.index(one.severity)):
        label = finding.severity or finding.verdict
        style = SEVERITY_STYLES[finding.severity]
        out.print(f"[{style}]{label:<12}[/] [bold]{shown(finding.object)}[/]  {shown(finding.message)}")
        for detail in finding.details[:MOST_DETAILS]:
            out.print(f"{'':13}{shown(detail)}", style="dim")
        if len(finding.details) > MOST_DETAILS:
            out.print(f"{'':13}… and {len(finding.details) - MOST_DETAILS} more ({elsewhere})", style="dim")
        if finding.meaning:
            out.print(f"{'':13}{shown(finding.meaning)}")
        if finding.remedy:
            out.print(f"{'':13}[bold]→[/] {shown(finding.remedy)}")
