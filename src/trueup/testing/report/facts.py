"""What is known about a test besides its outcome, and how it travels to the report of the session."""

from dataclasses import asdict, dataclass, field
from typing import Any

import pytest


@dataclass(slots=True, kw_only=True)
class Facts:
    """Is what one phase of a test has cost, made and left."""

    database_s: float = 0.0
    """How long its threads have waited for the server's answers, logins excluded."""
    exchanges: int = 0
    """How often."""
    factories: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Rows made and seconds taken, by factory."""
    leaks: list[str] = field(default_factory=list)
    """What it has left behind."""


FACTS = pytest.StashKey[Facts]()
CARRIED = "trueup_facts"
"""The attribute of a report that has them; xdist sends on what JSON can hold."""


def facts_of(node: pytest.Item | pytest.Collector) -> Facts:
    """Return the facts of a test's present phase, to add to."""
    return node.stash.setdefault(FACTS, Facts())


def attach(report: pytest.TestReport, item: pytest.Item) -> None:
    """Let the report of a phase carry its facts, also from a worker of xdist; the next phase begins with none."""
    vars(report)[CARRIED] = asdict(item.stash.get(FACTS, Facts()))
    item.stash[FACTS] = Facts()


def facts_in(report: pytest.TestReport) -> Facts:
    """Return the facts that a report carries."""
    carried: dict[str, Any] = vars(report).get(CARRIED, {})
    facts = Facts(**carried)
    facts.factories = {name: (int(rows), float(seconds)) for name, (rows, seconds) in facts.factories.items()}
    return facts
