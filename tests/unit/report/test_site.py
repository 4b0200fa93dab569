"""The front page of a folder of reports: what it reads, and what it concludes."""

import json

import pytest

from trueup.report.html import render_site
from trueup.report.model import Section, Verdict
from trueup.report.reading import read_site
from trueup.report.runs import encode, run_of
from trueup.report.site import MOST_FAILURES, MOST_KINDS, MOST_RUNS


@pytest.fixture
def folder(tmp_path):
    """A folder of reports, to which a test adds what it needs."""

    def add(place, content):
        file = tmp_path / place
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path

    return add


def junit(*cases, seconds=1.5):
    return f'<testsuites><testsuite time="{seconds}">{"".join(cases)}</testsuite></testsuites>'


OK = '<testcase classname="t.unit" name="ok"/>'
BAD = '<testcase classname="t.unit" name="bad"><failure/></testcase>'
BROKEN = '<testcase classname="t.unit" name="broken"><error/></testcase>'
SKIPPED = '<testcase classname="t.unit" name="skipped"><skipped/></testcase>'


def test_empty_folder_is_not_green(tmp_path):
    site = read_site(tmp_path)

    assert site.verdict is Verdict.INCONCLUSIVE
    assert "holds no result yet" in render_site(site)


def test_everything_that_a_folder_holds_is_on_the_page(folder, make_report):
    folder("history.jsonl", encode(run_of(make_report())))
    folder("tests/unit.xml", junit(OK, SKIPPED))
    folder("coverage/index.html", '<span class="pc_cov">97%</span>')
    folder("report.html", "")
    here = folder("benchmarks/single.json", json.dumps({"ratios": [{"name": "race", "ratio": 0.5, "against": "x"}]}))

    site = read_site(here)
    page = render_site(site)

    assert site.verdict is Verdict.PASSED
    assert site.explanation == "The last verification passed, 2 tests ran and none failed, 97 % of the code was run."
    for text in ("unit", "1 passed", "97 %", "race", "0.50", 'href="report.html"', 'href="coverage/index.html"'):
        assert text in page


def test_failing_test_is_named_and_makes_the_page_red(folder):
    site = read_site(folder("tests/unit.xml", junit(OK, BAD, BROKEN)))

    assert site.verdict is Verdict.FAILED
    assert site.tests[0].failures == ("t.unit.bad", "t.unit.broken")
    assert "2 of 3 tests failed" in site.explanation


def test_session_whose_tests_were_all_skipped_proves_nothing(folder):
    assert read_site(folder("tests/unit.xml", junit(SKIPPED))).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("place", "content"),
    [
        ("tests/unit.xml", "<testsuites><testsui"),
        ("coverage/index.html", "<html></html>"),
        ("benchmarks/single.json", "{}"),
        ("benchmarks/single.json", b"\xff"),
    ],
)
def test_file_that_can_not_be_read_is_a_problem_and_hides_no_other(folder, place, content):
    folder("tests/other.xml", junit(OK))

    site = read_site(folder(place, content))

    assert len(site.problems) == 1
    assert len(site.tests) == 1
    assert site.verdict is Verdict.INCONCLUSIVE
    assert place in render_site(site)


def test_history_is_drawn_by_kind_the_latest_first(folder, make_report):
    lines = [encode(run_of(make_report(title="early")))] * (MOST_RUNS + 5)
    lines += [encode(run_of(make_report(title=f"kind {number}"))) for number in range(MOST_KINDS)]

    plots = read_site(folder("history.jsonl", b"".join(lines))).plots

    assert len(plots) == MOST_KINDS
    assert max(len(plot.bars) for plot in plots) == MOST_RUNS
    assert plots[0].summary == "40 runs: 40 passed"


def test_last_run_that_was_inconclusive_is_said(folder, make_report):
    report = make_report(sections=(Section(check="data", title="Rows"),))

    site = read_site(folder("history.jsonl", encode(run_of(report))))

    assert site.explanation == "The last verification was inconclusive."
    assert site.headline == "Not everything could be looked at"


def test_ratio_above_its_limit_is_red(folder):
    text = json.dumps({"ratios": [{"name": "a", "ratio": 2.0, "against": "b", "limit": 0.5}]})

    site = read_site(folder("benchmarks/x.json", text))

    assert site.verdict is Verdict.FAILED
    assert site.most_ratio == pytest.approx(2.1)


def test_many_failures_are_counted(folder):
    cases = [f'<testcase name="t{number}"><failure/></testcase>' for number in range(MOST_FAILURES + 7)]

    assert "7 tests more stand in tests/unit.xml" in render_site(read_site(folder("tests/unit.xml", junit(*cases))))


def test_names_of_tests_are_text_on_the_page(folder):
    case = '<testcase name="&lt;script&gt;alert(1)&lt;/script&gt;"><failure/></testcase>'

    assert "<script" not in render_site(read_site(folder("tests/unit.xml", junit(case))))
