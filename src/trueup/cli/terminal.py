"""What people see: data on stdout, progress on stderr and only on a terminal."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trueup.report.model import Finding, Section, Severity, Verdict

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
MOST_DETAILS = 5

out = Console(highlight=False, soft_wrap=True)


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Show what is going on, on stderr; yields the function that says it. Silent where stderr is no terminal."""
    console = Console(stderr=True)
    with console.status("starting") as status:
        yield lambda text: status.update(escape(text))


def show_verdict(verdict: Verdict, sentence: str) -> None:
    """Print the verdict and what it means."""
    mark, style = LOOKS[verdict]
    out.print(f"[{style}]{mark} {verdict}[/]  {escape(sentence)}")


def show_sections(sections: Sequence[Section]) -> None:
    """Print one line a check: its verdict, what it compared, and how long it took."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "check", "compared", "findings", "seconds"):
        table.add_column(heading, justify="right" if heading in {"findings", "seconds"} else "left")
    for section in sections:
        mark, style = LOOKS[section.verdict]
        amounts = ", ".join(f"{number:,} {what}" for what, number in section.compared.items()) or "nothing"
        table.add_row(
            f"[{style}]{mark}[/]",
            escape(section.title),
            escape(amounts),
            str(len(section.findings)),
            f"{section.seconds:.2f}",
        )
    out.print(table)


def show_findings(findings: Sequence[Finding]) -> None:
    """Print each finding: what, where, what it means and what to do."""
    for finding in findings:
        label = finding.severity or finding.verdict
        style = SEVERITY_STYLES[finding.severity]
        out.print(f"[{style}]{label:<12}[/] [bold]{escape(finding.object)}[/]  {escape(finding.message)}")
        for detail in finding.details[:MOST_DETAILS]:
            out.print(f"{'':13}{escape(detail)}", style="dim")
        if len(finding.details) > MOST_DETAILS:
            out.print(f"{'':13}… and {len(finding.details) - MOST_DETAILS} more (see the report)", style="dim")
        for text in filter(None, (finding.meaning, finding.remedy)):
            out.print(f"{'':13}{escape(text)}")
