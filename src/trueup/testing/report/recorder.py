"""What is heard of a session of tests while it runs, as the record that its page is made of."""

import re
from collections import defaultdict
from datetime import UTC, datetime
from importlib.metadata import version as distribution_version
from pathlib import Path
from time import perf_counter
from types import MappingProxyType
from typing import cast

import pytest

from trueup.testing.isolation import OPTIONS
from trueup.testing.report.facts import facts_in
from trueup.testing.report.record import Outcome, PhaseRecord, SessionRecord, TestRecord

PASSWORDS = re.compile(r"(?<=://)([^:/@\s]*):[^@\s]*@|\b((?:ssl)?password=)\S+")
"""In a connection string on the command line."""


class Recorder:
    """Hears how every test ends, whatever process it runs in, and writes the page at the end."""

    def __init__(self, config: pytest.Config, page: Path) -> None:
        self.config = config
        self.page = page
        self.started_at = datetime.now(UTC).astimezone()
        self.started = perf_counter()
        self.phases: dict[str, dict[str, pytest.TestReport]] = defaultdict(dict)
        self.reruns: dict[str, int] = defaultdict(int)
        self.unread: dict[str, TestRecord] = {}
        """What could not be collected."""
        self.workers: set[str] = set()
        self.summary = ""

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that can't be imported."""
        if report.failed:
            self.unread[report.nodeid] = TestRecord(node=report.nodeid, outcome="error", text=report.longreprtext)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a phase; one that runs again replaces what was known."""
        self.workers.add(getattr(report, "worker_id", "main"))
        if cast("str", report.outcome) == "rerun":
            self.reruns[report.nodeid] += 1
            self.phases[report.nodeid] = {}
        else:
            self.phases[report.nodeid][report.when] = report

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the page."""
        from trueup.testing.report.page import render, summary  # noqa: PLC0415  It loads jinja2.

        is_complete = exitstatus not in {2, 3} and not session.shouldstop and not session.shouldfail
        record = self.record(is_complete=is_complete)
        self.page.write_text(render(record), encoding="utf-8")
        self.summary = f"trueup: {summary(record)}; {self.page}"

    def pytest_terminal_summary(self, terminalreporter: "pytest.TerminalReporter") -> None:
        """Say in one line where the page is."""
        terminalreporter.write_line(self.summary)

    def record(self, *, is_complete: bool) -> SessionRecord:
        """Return what is known about the session."""
        tests = (record_of(node, phases, self.reruns[node]) for node, phases in self.phases.items())
        return SessionRecord(
            project=self.config.rootpath.name,
            server=str(self.config.stash[OPTIONS]),
            started_at=self.started_at,
            wall_s=perf_counter() - self.started,
            workers=max(1, len(self.workers)),
            tests=(*self.unread.values(), *tests),
            version=distribution_version("trueup"),
            pytest_version=pytest.__version__,
            command=PASSWORDS.sub(hidden, " ".join(("pytest", *map(str, self.config.invocation_params.args)))),
            is_complete=is_complete,
        )


def hidden(found: re.Match[str]) -> str:
    """Return a password's place without it."""
    return f"{found[2]}…" if found[2] else f"{found[1]}:…@"


def record_of(node: str, phases: dict[str, pytest.TestReport], reruns: int) -> TestRecord:
    """Return what is known about one test; `phases` are its reports by set-up, call and tear-down."""
    facts = {when: facts_in(report) for when, report in phases.items()}
    told = [report for report in phases.values() if report.failed] or [
        report for report in phases.values() if report.skipped
    ]
    made = {name: cost for each in facts.values() for name, cost in each.factories.items()}

    def phase(when: str) -> PhaseRecord:
        if when not in phases:
            return PhaseRecord()
        found = facts[when]
        return PhaseRecord(seconds=phases[when].duration, database_s=found.database_s, exchanges=found.exchanges)

    return TestRecord(
        node=node,
        outcome=outcome_of(phases),
        setup=phase("setup"),
        call=phase("call"),
        teardown=phase("teardown"),
        text="\n\n".join(map(text_of, told)),
        factories=MappingProxyType(made),
        leaks=tuple(leak for each in facts.values() for leak in each.leaks),
        reruns=reruns,
    )


def outcome_of(phases: dict[str, pytest.TestReport]) -> Outcome:
    """Return how a test ended as a whole, as pytest's own summary counts it."""
    if not phases:
        return "interrupted"
    call = phases.get("call") or phases.get("???")
    if call is not None and call.failed:
        return "failed"
    if any(report.failed for report in phases.values()):
        return "error"
    skipped = next((report for report in phases.values() if report.skipped), None)
    if skipped is not None:
        return "xfailed" if hasattr(skipped, "wasxfail") else "skipped"
    return "xpassed" if hasattr(call, "wasxfail") else "passed"


def text_of(report: pytest.TestReport) -> str:
    """Return why a phase failed or was skipped."""
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    if report.skipped:
        return str(getattr(report, "wasxfail", "")) or report.longreprtext
    return report.longreprtext
