"""Reports as JUnit XML, as continuous integration servers read it."""

from collections import Counter
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from trueup.report.model import Finding, Report, Section, Verdict, worst
from trueup.report.text import printable

TAGS = {Verdict.FAILED: "failure", Verdict.INCONCLUSIVE: "error", Verdict.REFUSED: "error"}
"""What a verdict is to servers that know red and green only: nothing that was not verified may be green."""


def render(report: Report) -> str:
    """Return one test suite a section, and in it one test case an object, or one for all when nothing was found.

    A case fails or errs by the worst verdict of its findings; its text holds them all. The time of a section stands
    at its first case, because a check runs once for all its objects.

    Source: the schema junit-10.xsd of Jenkins' xUnit plug-in.
    """
    sections = report.sections or (Section(check="verify", title="Nothing was verified"),)
    suites = [_suite(section, report) for section in sections]
    root = Element("testsuites", name=printable(report.title))
    for attribute in ("tests", "failures", "errors"):
        root.set(attribute, str(sum(int(suite.attrib[attribute]) for suite in suites)))
    root.set("time", _seconds(sum(section.seconds for section in sections)))
    root.extend(suites)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _suite(section: Section, report: Report) -> Element:
    cases = _cases(section)
    cases[0].set("time", _seconds(section.seconds))
    results = Counter(child.tag for case in cases for child in case)
    suite = Element(
        "testsuite",
        name=printable(section.title),
        tests=str(len(cases)),
        failures=str(results["failure"]),
        errors=str(results["error"]),
        skipped="0",
        time=_seconds(section.seconds),
        timestamp=report.started_at.isoformat(timespec="seconds"),
    )
    properties = SubElement(suite, "properties")
    facts = {side.role: f"{side.name} ({side.server})" for side in report.sides}
    facts |= {f"compared.{what}": str(number) for what, number in section.compared.items()}
    facts |= {"verdict": section.verdict, "version": report.version}
    for name, value in facts.items():
        SubElement(properties, "property", name=printable(name), value=printable(value))
    suite.extend(cases)
    return suite


def _cases(section: Section) -> list[Element]:
    objects: dict[str, list[Finding]] = {}
    for finding in section.findings:
        objects.setdefault(finding.object, []).append(finding)
    cases = [_case(section.check, name, findings) for name, findings in objects.items()]
    if worst(finding.verdict for finding in section.findings) is section.verdict and cases:
        return cases
    whole = Element("testcase", classname=printable(section.check), name=printable(section.title), time=_seconds(0))
    if section.verdict is not Verdict.PASSED:
        SubElement(whole, TAGS[section.verdict], type=section.verdict, message="nothing was compared")
    return [whole, *cases]


def _case(check: str, name: str, findings: list[Finding]) -> Element:
    case = Element("testcase", classname=printable(check), name=printable(name), time=_seconds(0))
    verdict = worst(finding.verdict for finding in findings)
    text = printable("\n\n".join(map(_text, findings)))
    if verdict is Verdict.PASSED:
        SubElement(case, "system-out").text = text
        return case
    first = next(finding for finding in findings if finding.verdict is verdict)
    result = SubElement(case, TAGS[verdict], type=first.severity or verdict, message=printable(first.message))
    result.text = text
    return case


def _text(finding: Finding) -> str:
    lines = (finding.message, finding.meaning, finding.remedy, *finding.details)
    return "\n".join((f"[{finding.severity or finding.verdict}] {lines[0]}", *filter(None, lines[1:])))


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
