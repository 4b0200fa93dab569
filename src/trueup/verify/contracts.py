"""Whether tables are what the code that reads and writes them believes, as a section of a report."""

from collections.abc import Sequence
from typing import Any

from trueup.db import Snapshot
from trueup.report.model import Finding, Section, Severity, Verdict
from trueup.tables import ContractDifference, Table, check_contract
from trueup.tables.check import Kind
from trueup.tables.declared import declared_tables
from trueup.verify.check import Announce
from trueup.verify.subject import Subject

SEVERITIES = {Kind.TYPE: Severity.LOSSY, Kind.NULLABILITY: Severity.BEHAVIOURAL, Kind.TENANT: Severity.BEHAVIOURAL}
"""Of what is not breaking."""


def look_at_contracts(subject: Subject, announce: Announce) -> Section:
    """Hold the declared table contracts against the target."""
    announce("comparing contracts")
    return contracts_section(subject.target.snapshot, declared_tables(subject.settings.contracts))


def contracts_section(snapshot: Snapshot, tables: Sequence[Table[Any]]) -> Section:
    """Hold each table contract against the database."""
    found = [difference for table in tables for difference in check_contract(snapshot, table)]
    return Section(
        check="contracts",
        title="Contracts",
        compared={"tables": len(tables), "columns": sum(len(table.columns) for table in tables)},
        findings=tuple(map(finding_of_contract, found)),
    )


def finding_of_contract(difference: ContractDifference) -> Finding:
    """Return a difference between code and database as a finding."""
    return Finding(
        check="contracts",
        verdict=Verdict.FAILED,
        severity=SEVERITIES.get(difference.kind, Severity.BREAKING),
        object=difference.object,
        message=f"the {difference.kind} is not what the contract says",
        meaning=f"{difference.meaning[0].upper()}{difference.meaning[1:]}.",
        remedy="change the database by a migration, or the contract if the database is right",
        details=(f"contract: {difference.contract or 'none'}", f"database: {difference.catalog or 'none'}"),
    )
