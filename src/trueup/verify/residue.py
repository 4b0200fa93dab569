"""What tests have left behind, as a section of a report."""

from collections.abc import Sequence

from trueup.db import Database
from trueup.report.model import Finding, Section, Severity, Verdict
from trueup.settings import DatabaseSettings
from trueup.tables import markers
from trueup.tables.declared import declared_tables
from trueup.verify.check import Announce, needs_contracts
from trueup.verify.subject import Subject


def look_at_residue(subject: Subject, announce: Announce) -> Section:
    """Count the rows of the target that carry the marker of test data, or that tests have made."""
    announce("looking for test data")
    limits = DatabaseSettings(
        conninfo=subject.conninfo,
        max_connections=1,
        statement_timeout_s=subject.deadline_s,
        transaction_timeout_s=subject.deadline_s,
    )
    with Database(limits) as db:
        return residue_section(markers.stats(db, declared_tables(subject.settings.contracts)))


def residue_section(found: Sequence[markers.TableStats]) -> Section:
    """Return how many tables can hold test data, and which do."""
    return Section(
        check="residue",
        title="Test data",
        compared={"tables": len(found)},
        findings=tuple(
            Finding(
                check="residue",
                verdict=Verdict.FAILED,
                severity=Severity.BEHAVIOURAL,
                object=each.table,
                message=f"{each.marked:,} marked as test data, {each.made:,} made by tests",
                meaning="People meet customers and bookings that don't exist, and totals are wrong.",
                remedy="trueup testdata clean",
                details=each.disagreements,
            )
            for each in found
            if each.marked or each.made
        ),
    )


def lacks_markers(subject: Subject) -> str:
    """Say that no contract has a marker; empty where one does."""
    if reason := needs_contracts(subject):
        return reason
    tables = declared_tables(subject.settings.contracts)
    return "" if any(table.marker for table in tables) else "no table contract has a marker"
