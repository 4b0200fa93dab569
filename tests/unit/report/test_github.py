"""What a workflow of GitHub shows."""

import re

from hypothesis import given

from trueup.report.github import MOST_ANNOTATIONS, MOST_ROWS, annotations, summary
from trueup.report.model import Report, Section, Severity, Verdict


def test_finding_is_an_annotation_the_worst_first(make_finding, make_report):
    report = make_report(
        make_finding(severity=Severity.LOSSY, object="public.a", message="50% shorter"),
        make_finding(object="public.b,c:d"),
        make_finding(verdict=Verdict.INCONCLUSIVE, severity=None, object="public.e", message="hidden"),
        make_finding(verdict=Verdict.PASSED, severity=None, object="public.f", message="a remark"),
    )

    assert list(annotations(report)) == [
        "::error title=schema%3A public.b%2Cc%3Ad::The column is missing in the target.",
        "::error title=schema%3A public.a::50%25 shorter",
        "::warning title=schema%3A public.e::hidden",
    ]


def test_more_findings_than_are_shown_are_counted(make_finding, make_report):
    lines = list(annotations(make_report(*[make_finding(object=f"t{number}") for number in range(25)])))

    assert len(lines) == MOST_ANNOTATIONS
    assert lines[-1] == "::error title=trueup::16 findings more: see the summary and report.html"


def test_run_that_compared_nothing_is_a_warning_and_one_that_passed_says_nothing(make_report):
    nothing = make_report(sections=(Section(check="schema", title="Structure"),))

    assert [line[:10] for line in annotations(nothing)] == ["::warning "]
    assert list(annotations(make_report())) == []


def test_summary_shows_verdict_checks_and_findings(make_finding, make_report):
    text = summary(make_report(make_finding(message="a | b", remedy="`drop`")))

    assert text.startswith("## ❌ The two databases are not the same\n")
    assert "| ❌ | Structure | 9 tables | 1 | 1.5 s |" in text
    assert "| breaking | public.clients.phone | a &#124; b | &#96;drop&#96; |" in text


def test_summary_counts_what_it_does_not_show(make_finding, make_report):
    found = [make_finding(object=f"t{number}") for number in range(MOST_ROWS + 3)]

    assert "3 findings more stand in report.html." in summary(make_report(*found))


@given(...)
def test_no_text_can_end_an_annotation_or_a_row(report: Report):
    for line in annotations(report):
        assert re.fullmatch(r"::(error|warning) title=[^\r\n:,]*::[^\r\n]*", line)
    rows = [line for line in summary(report).split("\n") if line.startswith("|")]
    assert {line.count("|") for line in rows} <= {6, 5}
