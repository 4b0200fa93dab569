import pytest

from trueup.report.model import Section, Severity, Verdict
from trueup.report.page import (
    MOST_BYTES,
    MOST_DETAILS,
    MOST_OF_A_CHECK,
    explanation,
    groups,
)

EMPTY = Section(check="data", title="Rows")


def test_worst_findings_come_first_and_a_gap_before_what_is_harmless(make_report, make_finding):
    found = [make_finding(severity=severity) for severity in reversed(Severity)]
    found += [make_finding(verdict=verdict, severity=None) for verdict in Verdict]

    keys = [group.rank.key for group in groups(make_report(*found))]

    assert keys == ["refused", "breaking", "lossy", "behavioural", "failed", "inconclusive", "cosmetic", "passed"]


def test_findings_with_the_same_lesson_share_it(make_report, make_finding):
    alike = [make_finding(object=name, meaning="m", remedy="r") for name in "ab"]

    (group,) = groups(make_report(*alike, make_finding(meaning="other")))

    assert [len(lesson.entries) for lesson in group.batches[0].lessons] == [2, 1]


def test_more_of_a_check_than_can_be_read_is_counted_and_what_failed_is_shown_first(make_report, make_finding):
    remarks = [make_finding(verdict=Verdict.PASSED, object="remark")] * MOST_OF_A_CHECK

    (group,) = groups(make_report(*remarks, make_finding(object="failed")))

    (batch,) = group.batches
    assert (batch.total, batch.hidden) == (MOST_OF_A_CHECK + 1, 1)
    assert batch.lessons[0].entries[0].finding.object == "failed"


def test_findings_beyond_the_budget_are_counted(make_report, make_finding):
    big = make_finding(details=("'" * 2000,) * MOST_DETAILS)
    sections = [Section(check=str(n), title=str(n), findings=(big,) * 9) for n in range(9)]

    (group,) = groups(make_report(sections=tuple(sections)))

    shown = [entry for batch in group.batches for lesson in batch.lessons for entry in lesson.entries]
    assert 0 < sum(entry.size_bytes for entry in shown) <= MOST_BYTES
    assert len(shown) + sum(batch.hidden for batch in group.batches) == group.total == 81


def test_long_details_are_cut_and_counted(make_report, make_finding):
    (group,) = groups(make_report(make_finding(details=("line",) * (MOST_DETAILS + 7))))

    (entry,) = group.batches[0].lessons[0].entries
    assert (len(entry.finding.details), entry.hidden_lines) == (MOST_DETAILS, 7)


def test_explanation_says_how_many_checks_failed_or_were_left_open(make_report, make_finding):
    failed = Section(check="schema", title="Structure", findings=(make_finding(),))

    told = explanation(make_report(sections=(failed, EMPTY)))

    assert told.startswith("1 of 2 checks failed, 1 could not be completed.")


@pytest.mark.parametrize("sections", [(), (EMPTY,)])
def test_explanation_of_an_inconclusive_report_calls_it_not_verified(make_report, sections):
    assert explanation(make_report(sections=sections)).endswith("Treat this as not verified.")
