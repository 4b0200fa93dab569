"""How two structures differ, as a section of a report."""

from trueup.parity.schema import Catalog, Difference, compared, diff
from trueup.report.model import Finding, Section, Verdict
from trueup.verify.check import Announce, nothing_there
from trueup.verify.subject import Subject


def look_at_schema(subject: Subject, announce: Announce) -> Section:
    """Hold the structure of the target against that of the source."""
    announce("comparing structure")
    mine, theirs = subject.pair.source.catalog, subject.target.catalog
    return schema_section(mine, theirs, diff(mine, theirs))


def schema_section(
    mine: Catalog,
    theirs: Catalog,
    differences: tuple[Difference, ...],
    *,
    check: str = "schema",
    title: str = "Structure",
    truth: str = "source",
) -> Section:
    """Return what was compared and found; two databases without a table, view or sequence prove nothing."""
    amounts = {what: max(number, compared(theirs)[what]) for what, number in compared(mine).items()}
    findings = tuple(finding_of_difference(each, check=check, truth=truth) for each in differences)
    if not findings and not (amounts["tables"] or amounts["views"] or amounts["sequences"]):
        findings = (nothing_there(check, "neither database has a table, a view or a sequence"),)
    return Section(check=check, title=title, compared=amounts, findings=findings)


def finding_of_difference(difference: Difference, *, check: str = "schema", truth: str = "source") -> Finding:
    """Return a difference of structure as a finding."""
    kind, change = difference.kind, difference.change
    messages = {"missing": f"the {kind} is in the {truth} only", "extra": f"the {kind} is in the target only"}
    sides = ((truth, difference.source), ("target", difference.target))
    details = [] if change in messages else [f"{role}: {text or 'none'}" for role, text in sides]
    if difference.hint:
        details.append(f"hint: {difference.hint}")
    return Finding(
        check=check,
        verdict=Verdict.FAILED,
        severity=difference.severity,
        object=difference.object,
        message=messages.get(change, f"the {kind}'s {change} differs"),
        meaning=difference.meaning,
        remedy=difference.remedy,
        details=tuple(details),
    )
