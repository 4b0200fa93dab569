"""The rule that the contracts of the code are those of the schema."""

from collections.abc import Sequence
from typing import Any

from trueup.db import Connection
from trueup.report.model import Finding, Severity, Verdict
from trueup.tables import Table, check_contract


def find_broken_contracts(connection: Connection, tables: Sequence[Table[Any]]) -> tuple[Finding, ...]:
    """Return a finding for each thing that a contract says and the database doesn't."""
    return tuple(
        Finding(
            check="contracts",
            verdict=Verdict.FAILED,
            severity=Severity.BREAKING,
            object=difference.object,
            message=f"the {difference.kind} is not what the contract says",
            meaning=f"{difference.meaning[0].upper()}{difference.meaning[1:]}.",
            remedy="change the contract, or the schema by a migration",
            details=(f"contract: {difference.contract or 'none'}", f"schema:   {difference.catalog or 'none'}"),
        )
        for table in tables
        for difference in check_contract(connection, table)
    )
