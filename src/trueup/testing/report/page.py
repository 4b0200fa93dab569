"""The page about a session of tests. Imports jinja2, so only what renders imports this."""

from collections.abc import Mapping
from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader

from trueup.report import html
from trueup.report.wording import duration, quantity
from trueup.testing.report.record import Outcome, Part, SessionRecord

MOST_SLOW = 20
MOST_FILES = 200
MOST_BROKEN = 100
MOST_OPEN = 3
"""Failures up to which their texts stand open."""
MOST_OF_A_TEXT = 8_000
"""Characters of one failure: pytest prints the rest."""
WORDS: Mapping[Outcome, str] = {
    "failed": "failed",
    "error": "errors",
    "interrupted": "interrupted",
    "passed": "passed",
    "skipped": "skipped",
    "xfailed": "failed as expected",
    "xpassed": "passed unexpectedly",
}
TONES: Mapping[Outcome, str] = {
    "failed": "failed",
    "error": "failed",
    "interrupted": "failed",
    "passed": "passed",
    "skipped": "inconclusive",
    "xfailed": "passed",
    "xpassed": "inconclusive",
}
"""Which mark and colour of a verdict an outcome has."""

TITLES: Mapping[Part, str] = {
    "setup": "Set-up",
    "database": "Waiting for the database",
    "work": "The tests' own work",
    "teardown": "Tear-down",
}


def render(record: SessionRecord) -> str:
    """Return the page: one file without script that requests nothing, opens offline, prints, and fits a phone."""
    return (
        environment()
        .get_template("session.html")
        .render(
            record=record,
            verdict=verdict(record),
            headline=headline(record),
            explanation=explanation(record),
            broken=record.broken[:MOST_BROKEN],
            slowest=record.slowest[:MOST_SLOW],
            files=record.files[:MOST_FILES],
            busy_s=sum(record.parts.values()),
            titles=TITLES,
            words=WORDS,
            tones=TONES,
            most_open=MOST_OPEN,
            most_of_a_text=MOST_OF_A_TEXT,
        )
    )


def verdict(record: SessionRecord) -> str:
    """Return the tone of the whole: nothing that was not tested may be green."""
    if record.broken:
        return "failed"
    ran = [test for test in record.tests if test.outcome != "skipped"]
    return "passed" if ran and record.is_complete else "inconclusive"


def headline(record: SessionRecord) -> str:
    """Return the answer to the reader's question in one line."""
    broken, total = len(record.broken), len(record.tests)
    if broken:
        return f"{broken:,} of {quantity(total, 'tests')} failed"
    if not total:
        return "No test was run"
    if not record.is_complete:
        return f"The session was stopped after {quantity(total, 'tests')}"
    skipped = record.counts.get("skipped", 0)
    if skipped == total:
        return "Every test was skipped"
    return f"{quantity(total - skipped, 'tests')} passed" if skipped else f"All {quantity(total, 'tests')} passed"


def explanation(record: SessionRecord) -> str:
    """Return how long it took, where, and what a reader should look at."""
    share = record.database_share
    workers = f" with {record.workers} workers" if record.workers > 1 else ""
    parts = [f"It took {duration(record.wall_s)}{workers} on {record.server}."]
    if share:
        parts.append(f"The tests spent {share:.0%} of their time waiting for the database.")
    if not record.is_complete:
        parts.append("It was stopped before its end: what did not run is not on this page.")
    if record.leaking:
        parts.append(f"{quantity(len(record.leaking), 'tests')} left something open.")
    return " ".join(parts)


def summary(record: SessionRecord) -> str:
    """Return the session in a few words, for the terminal."""
    share = record.database_share
    parts = [f"{share:.0%} of the tests' time was the database's"] if share else []
    parts += [f"{quantity(len(record.leaking), 'tests')} left something open"] if record.leaking else []
    return ", ".join(parts) or headline(record)


@cache
def environment() -> Environment:
    """Return what renders the page, in the look of the other reports."""
    loader = ChoiceLoader([PackageLoader("trueup.testing.report", "pages"), PackageLoader("trueup.report")])
    return html.environment().overlay(loader=loader)
