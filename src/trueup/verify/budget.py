"""Whether the connections of all services fit, as a section of a report."""

from trueup.db import budget
from trueup.db.budgets import Budget
from trueup.report.model import Section, failure
from trueup.verify.check import Announce
from trueup.verify.subject import Subject


def look_at_budget(subject: Subject, announce: Announce) -> Section:
    """Add up what the declared services may open on the target's server."""
    announce("adding up connections")
    return budget_section(budget(subject.target.snapshot.connection, subject.settings.services))


def lacks_services(subject: Subject) -> str:
    """Say that no service is declared; empty where one is."""
    return "" if subject.settings.services else "no service is declared in the configuration"


def budget_section(budget: Budget) -> Section:
    """Return what was added up, and which limit it exceeds; without a declared service nothing was."""
    room = budget.room
    return Section(
        check="budget",
        title="Connections",
        compared={
            "services": len(budget.services),
            "connections they may open": budget.most,
            "connections available": room.available,
            "connections in use": sum(room.in_use.values()),
        }
        if budget.services
        else {},
        findings=tuple(
            failure(
                "budget",
                finding.subject,
                finding.message,
                "When every service is busy, some get no connection (53300).",
                "lower a service's connections, or raise the limit",
            )
            for finding in budget.findings
        ),
    )
