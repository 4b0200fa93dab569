"""Reports as a workflow of GitHub shows them: annotations, and the summary of a step.

Source: GitHub documentation, "Workflow commands for GitHub Actions".
"""

from collections.abc import Iterator

from trueup.report.model import Finding, Report, Verdict
from trueup.report.page import RANKS, explanation, headline, rank_of
from trueup.report.text import printable
from trueup.report.wording import amounts, clip, duration, quantity

MOST_ANNOTATIONS = 10
"""So many of a step are shown; the rest would be dropped without a word."""
MOST_ROWS = 100
MOST_OF_A_CELL = 300
MARKS = {
    Verdict.PASSED: "✅",
    Verdict.FAILED: "❌",
    Verdict.INCONCLUSIVE: "❓",
    Verdict.REFUSED: "⛔",
}
ESCAPES = {ord(each): f"&#{ord(each)};" for each in "&\\`*_{}[]<>|~#!$@"} | {ord("\n"): " ", ord("\t"): " "}
"""What Markdown or HTML would read."""
LEVELS = {Verdict.FAILED: "error", Verdict.REFUSED: "error", Verdict.INCONCLUSIVE: "warning"}


def annotations(report: Report) -> Iterator[str]:
    """Yield a workflow command for each of the worst findings; the last one counts those that are left out."""
    found = [finding for finding in in_order(report) if finding.verdict in LEVELS]
    room = len(found) if len(found) <= MOST_ANNOTATIONS else MOST_ANNOTATIONS - 1
    for finding in found[:room]:
        title = f"{finding.check}: {finding.object}"
        yield f"::{LEVELS[finding.verdict]} title={escaped(title, ':,')}::{escaped(finding.message)}"
    if more := len(found) - room:
        yield f"::error title=trueup::{quantity(more, 'findings')} more: see the summary and report.html"
    if not found and report.verdict is not Verdict.PASSED:
        yield f"::warning title=trueup::{escaped(explanation(report))}"


def in_order(report: Report) -> list[Finding]:
    """Return all findings, the worst first."""
    ranks = [rank.key for rank in RANKS]
    return sorted(report.findings, key=lambda finding: ranks.index(rank_of(finding)))


def escaped(text: str, also: str = "") -> str:
    """Return the text as the value of a workflow command, which can't end it or begin another."""
    text = printable(clip(text, MOST_OF_A_CELL))
    for character in ("%", "\r", "\n", *also):
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def summary(report: Report) -> str:
    """Return the report in Markdown: the verdict, each check, the worst findings."""
    return "\n".join([*head(report), *checks(report), *findings(report), ""])


def head(report: Report) -> Iterator[str]:
    """Yield the verdict and what was compared with what."""
    yield f"## {MARKS[report.verdict]} {cell(headline(report))}"
    yield ""
    yield cell(explanation(report))
    yield ""
    for side in report.sides:
        yield f"- {cell(side.role)}: {cell(side.name)} ({cell(side.server)})"


def checks(report: Report) -> Iterator[str]:
    """Yield a row for each check."""
    yield ""
    yield "| | check | compared | findings | time |"
    yield "|---|---|---|---:|---:|"
    for section in report.sections:
        cells = (
            MARKS[section.verdict],
            cell(section.title),
            cell(amounts(section.compared)),
            str(len(section.findings)),
            duration(section.seconds),
        )
        yield f"| {' | '.join(cells)} |"


def findings(report: Report) -> Iterator[str]:
    """Yield a row for each of the worst findings."""
    found = in_order(report)
    if not found:
        return
    yield ""
    yield "| severity | object | finding | what to do |"
    yield "|---|---|---|---|"
    for finding in found[:MOST_ROWS]:
        cells = (rank_of(finding), finding.object, finding.message, finding.remedy)
        yield f"| {' | '.join(map(cell, cells))} |"
    if len(found) > MOST_ROWS:
        yield ""
        yield f"{quantity(len(found) - MOST_ROWS, 'findings')} more stand in report.html."


def cell(text: str) -> str:
    """Return the text as Markdown shows it in a cell: no mark-up, no end of the cell."""
    return printable(clip(text, MOST_OF_A_CELL)).translate(ESCAPES)
