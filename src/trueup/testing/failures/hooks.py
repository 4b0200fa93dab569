"""What a failed test is told with: its database, the statements that it ran, what held them up, what they changed."""

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from trueup.testing.failures.psql import told_database
from trueup.testing.guard.gate import Owner, gate
from trueup.testing.guard.watch import HAS_FAILED, OWNER

if TYPE_CHECKING:
    from trueup.conninfo import ConnInfo
    from trueup.testing.rewind import NotRewound, Rewound

SHOWN = 40
"""How many statements are shown, the last ones."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("trueup")
    group.addoption(
        "--trueup-show-values", action="store_true", help="show the values in the statements of a failed test"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let values be kept only if they are to be shown."""
    gate.shows_values = bool(config.getoption("--trueup-show-values"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failure what is known of its database, and to that of its end what it had changed."""
    report = yield
    owner = item.stash[OWNER]
    if call.when == "teardown":
        if owner.outcome is not None and item.stash[HAS_FAILED]:
            report.sections.append(("Captured trueup changes teardown", told_changes(owner.outcome)))
    elif call.excinfo is not None:
        item.stash[HAS_FAILED] = True
        if report.failed:
            report.sections += sections_of(owner)
    return report


def sections_of(owner: Owner) -> list[tuple[str, str]]:
    """Return what is known of a failed test, with its titles."""
    parts = {
        "trueup database": "\n".join(map(told_database, databases_of(owner))),
        "trueup statements": told_statements(owner) if owner.statements else "",
        "trueup notices": "\n".join(owner.notices),
    }
    return [(title, text) for title, text in parts.items() if text]


def databases_of(owner: Owner) -> "list[ConnInfo]":
    """Return the databases that a test was given, each once."""
    found = {allowance.conninfo.parameters.get("dbname"): allowance.conninfo for allowance in gate.granted(owner)}
    return list(found.values())


def told_statements(owner: Owner) -> str:
    """Return the statements of a test, the last ones, each on a line."""
    last = list(owner.statements)[-SHOWN:]
    lines = [statement.line(shows_values=gate.shows_values) for statement in last]
    total_ms = sum(statement.seconds for statement in owner.statements) * 1000
    left_out = len(owner.statements) - len(last)
    head = f"statements: {len(owner.statements)}, {total_ms:.1f} ms" + (f"; the last {SHOWN}:" if left_out else "")
    return "\n".join([head, *lines])


def told_changes(outcome: "Rewound | NotRewound") -> str:
    """Return the tables and sequences that a test had changed, or why its database could not be put back."""
    if reason := getattr(outcome, "reason", ""):
        return str(reason)
    tables, sequences = getattr(outcome, "tables", ()), getattr(outcome, "sequences", ())
    if not tables and not sequences:
        return "the test left the database as it found it"
    parts = [f"rows changed in {', '.join(tables)}"] if tables else []
    parts += [f"sequences moved: {', '.join(sequences)}"] if sequences else []
    return "; ".join(parts)
