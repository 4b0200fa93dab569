"""How two structures differ, as a section of a report."""

from collections.abc import Iterator, Mapping

from trueup.parity.schema import Catalog, Difference, compared, diff, reordered
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
    if not findings and is_bare(amounts):
        findings = (nothing_there(check, "neither database has a table, a view or a sequence"),)
    notes = tuple(notes_on_order(mine, theirs))
    return Section(check=check, title=title, compared=amounts, findings=findings, notes=notes)


def is_bare(amounts: Mapping[str, int]) -> bool:
    """Say whether databases of which so much was compared hold nothing that could hold a row, or count one."""
    return not (amounts["tables"] or amounts["views"] or amounts["sequences"])


def notes_on_order(mine: Catalog, theirs: Catalog) -> Iterator[str]:
    """Yield which tables have their columns in another order: that is no difference, and some code minds."""
    if tables := reordered(mine, theirs):
        named = ", ".join(map(str, tables))
        yield f"Columns stand in another order in {named}: code that names them doesn't notice, SELECT * and COPY do."


def notes_on_scope(catalogs: Mapping[str, Catalog]) -> Iterator[str]:
    """Yield what was left out of the structures of some roles, by kind and number."""
    for reason, field in (("Not compared", "not_compared"), ("Left out", "skipped")):
        for role, each in catalogs.items():
            if amounts := getattr(each, field):
                listed = ", ".join(f"{kind} ({number:,})" for kind, number in amounts.items())
                yield f"{reason} in the {role}: {listed}."


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
