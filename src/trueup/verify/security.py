"""Whether row security shows what it should: everything to whoever verifies, and what its policies say to others."""

from collections.abc import Iterator

from trueup.parity.data import Side
from trueup.parity.schema import QualifiedName, Table
from trueup.report.model import Finding, Section, Severity, Verdict, failure, left_open
from trueup.verify.check import Announce
from trueup.verify.subject import Subject

ACTIVE = """
    select n.nspname::text, c.relname::text
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relrowsecurity and row_security_active(c.oid)
"""


def look_at_security(subject: Subject, announce: Announce) -> Section:
    """See, on each side, which tables row security hides from this role, and which policies do nothing."""
    announce("looking at row security")
    findings: list[Finding] = []
    for role, side in subject.sides.items():
        hidden = {QualifiedName(*row) for row in side.snapshot.rows(ACTIVE)}
        findings += security_findings(role, side, hidden)
    compared = {f"{role} tables": len(side.catalog.tables) for role, side in subject.sides.items()}
    return Section(check="security", title="Row security", compared=compared, findings=tuple(findings))


def lacks_tables(subject: Subject) -> str:
    """Say that no side has a table; empty where one does."""
    return "" if any(side.catalog.tables for side in subject.sides.values()) else "no database has a table"


def security_findings(role: str, side: Side, hidden: set[QualifiedName]) -> Iterator[Finding]:
    """Yield what is wrong with the row security of one side."""
    with_policies = {each.table for key, each in side.catalog.objects.items() if key.kind == "policy"}
    for name, table in side.catalog.tables.items():
        if name in hidden:
            yield left_open(
                "security",
                str(name),
                f"row security hides rows of the {role} from the role {side.snapshot.user}",
                meaning="What can't be seen was not verified.",
                remedy="verify with a role that has BYPASSRLS",
            )
        yield from policy_findings(role, table, has_policy=name in with_policies)


def policy_findings(role: str, table: Table, *, has_policy: bool) -> Iterator[Finding]:
    """Yield what is wrong with the policies of one table."""
    if has_policy and not table.row_security:
        yield failure(
            "security",
            str(table.name),
            f"the {role} has policies for it, and row security is off",
            "The policies do nothing: every role that may read the table reads the rows of everybody.",
            f"alter table {table.name} enable row level security",
        )
    if table.row_security and not has_policy:
        yield Finding(
            check="security",
            verdict=Verdict.PASSED,
            severity=Severity.BEHAVIOURAL,
            object=str(table.name),
            message=f"row security is on in the {role}, and there is no policy",
            meaning="Nobody but the table's owner, and who bypasses row security, sees or writes a row.",
        )
