import pytest

from trueup.report.model import Section, Severity, Verdict, failure, worst

PASSED, FAILED, INCONCLUSIVE, REFUSED = Verdict


def test_report_without_sections_is_inconclusive(make_report):
    assert make_report(sections=()).verdict is INCONCLUSIVE


@pytest.mark.parametrize("compared", [{}, {"tables": 0, "rows": 0}])
def test_section_that_compared_nothing_and_found_nothing_is_inconclusive(compared):
    assert Section(check="data", title="Rows", compared=compared).verdict is INCONCLUSIVE


def test_remark_does_not_make_a_section_pass_that_compared_nothing(make_finding):
    section = Section(check="data", title="Rows", findings=(make_finding(verdict=PASSED),))

    assert section.verdict is INCONCLUSIVE


def test_proved_difference_counts_even_where_no_number_was_given(make_finding):
    assert Section(check="data", title="Rows", findings=(make_finding(),)).verdict is FAILED


def test_failure_is_breaking_unless_it_is_called_less():
    texts = ("constraints", "public.clients.fk", "1 row points nowhere", "Joins lose it.", "delete it")
    worst_of_all, milder = failure(*texts), failure(*texts, severity=Severity.LOSSY)

    assert (worst_of_all.verdict, worst_of_all.severity) == (FAILED, Severity.BREAKING)
    assert (milder.verdict, milder.severity) == (FAILED, Severity.LOSSY)
    for found in (worst_of_all, milder):
        assert (found.check, found.object, found.message, found.meaning, found.remedy) == texts


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([PASSED, PASSED], PASSED),
        ([PASSED, INCONCLUSIVE], INCONCLUSIVE),
        ([INCONCLUSIVE, FAILED], FAILED),
        ([FAILED, REFUSED], REFUSED),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else value,
)
def test_worst_verdict_wins(verdicts, expected):
    assert worst(verdicts) is expected
    assert worst(reversed(verdicts)) is expected


def test_report_lists_findings_in_the_order_of_its_sections(make_report, make_finding):
    first, second = make_finding(object="a"), make_finding(object="b")
    sections = [Section(check=found.object, title="", findings=(found,)) for found in (first, second)]

    assert make_report(sections=tuple(sections)).findings == (first, second)
