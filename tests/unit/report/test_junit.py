from xml.etree import ElementTree as ET

import pytest
from hypothesis import given

from trueup.report.junit import render
from trueup.report.model import Report, Section, Severity, Verdict
from trueup.report.text import printable

# To explain a failure, hypothesis would trace each line of each attempt, which takes minutes.
OUTCOMES = ("failure", "error", "skipped")


def outcome(case: ET.Element) -> str:
    return next((child.tag for child in case if child.tag in OUTCOMES), "passed")


@given(...)
def test_cases_are_counted_and_lose_no_finding_and_only_what_passed_is_green(report: Report):
    root = ET.fromstring(render(report).encode("utf-8"))

    for part in (root, *root):
        outcomes = [outcome(case) for case in part.iter("testcase")]
        assert int(part.attrib["tests"]) == len(outcomes) > 0
        assert int(part.attrib["failures"]) == outcomes.count("failure")
        assert int(part.attrib["errors"]) == outcomes.count("error")
    for suite, section in zip(root if report.sections else (), report.sections, strict=True):
        texts = {case.get("name"): "".join(case.itertext()) for case in suite.iter("testcase")}
        for finding in section.findings:
            for text in (finding.message, finding.meaning, finding.remedy, *finding.details):
                assert printable(text) in texts[printable(finding.object)]
    bad = {outcome(case) for case in root.iter("testcase")} - {"passed"}
    assert bool(bad) == (report.verdict is not Verdict.PASSED)


@pytest.mark.parametrize(
    ("verdict", "severity", "expected", "kind"),
    [
        (Verdict.PASSED, Severity.COSMETIC, "passed", None),
        (Verdict.FAILED, Severity.LOSSY, "failure", "lossy"),
        (Verdict.INCONCLUSIVE, None, "error", "inconclusive"),
        (Verdict.REFUSED, None, "error", "refused"),
    ],
)
def test_finding_is_told_as_a_server_understands_it(make_report, make_finding, verdict, severity, expected, kind):
    root = ET.fromstring(render(make_report(make_finding(verdict=verdict, severity=severity))))

    (case,) = root.iter("testcase")
    assert (outcome(case), case[0].get("type")) == (expected, kind)


def test_findings_about_one_object_are_one_case_with_the_worst_outcome(make_report, make_finding):
    left_open = make_finding(verdict=Verdict.INCONCLUSIVE, severity=None, message="hidden")

    root = ET.fromstring(render(make_report(left_open, make_finding(message="gone"))))

    (case,) = root.iter("testcase")
    assert case.get("classname") == "schema"
    assert case.find("failure").get("message") == "gone"
    assert "hidden" in case.find("failure").text


def test_report_without_sections_is_an_error(make_report):
    root = ET.fromstring(render(make_report(sections=())))

    assert root.attrib["errors"] == root.attrib["tests"] == "1"


def test_section_that_compared_nothing_is_an_error_even_beside_a_remark(make_report, make_finding):
    section = Section(check="data", title="Rows", findings=(make_finding(verdict=Verdict.PASSED),))

    root = ET.fromstring(render(make_report(sections=(section,))))

    assert [outcome(case) for case in root.iter("testcase")] == ["error", "passed"]


def test_time_of_a_section_is_the_sum_of_its_cases(make_report, make_finding):
    root = ET.fromstring(render(make_report(make_finding(object="a"), make_finding(object="b"))))

    assert root.get("time") == root[0].get("time") == "1.500"
    assert [case.get("time") for case in root.iter("testcase")] == ["1.500", "0.000"]


def test_suite_says_what_was_compared_between_which_servers(make_report):
    root = ET.fromstring(render(make_report()))

    facts = {fact.get("name"): fact.get("value") for fact in root.iter("property")}
    assert facts["source"] == "service=source (PostgreSQL 18.4)"
    assert facts["compared.tables"] == "9"
