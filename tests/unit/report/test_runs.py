"""What is new, still there and gone since the last run."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given

from trueup.report.json import encode as encode_report
from trueup.report.model import Report, Section, Verdict
from trueup.report.page import development
from trueup.report.runs import MOST_FINDINGS, decode, encode, identity, run_of, with_changes


@pytest.mark.parametrize(
    ("facts", "is_same"),
    [
        ({"message": "12 rows differ"}, True),
        ({"message": "1,203.5 rows differ"}, True),
        ({"object": "public.other"}, False),
        ({"message": "12 rows are missing"}, False),
        ({"verdict": Verdict.INCONCLUSIVE}, False),
    ],
)
def test_finding_is_the_same_whatever_its_numbers(make_finding, facts, is_same):
    first = make_finding(message="7 rows differ")

    assert (identity(first) == identity(make_finding(**{"message": "7 rows differ"} | facts))) is is_same


def test_new_still_there_and_gone_are_told_apart(make_finding, make_report):
    old, kept, new = (make_finding(object=f"public.{name}") for name in ("old", "kept", "new"))
    before = make_report(old, kept)

    report = with_changes(make_report(kept, new), [run_of(before)])

    assert report.changes.new == {identity(new)}
    assert report.changes.still == {identity(kept)}
    assert [one.object for one in report.changes.gone] == ["public.old"]
    assert development(report) == "1 new, 1 still there, 1 gone since the run of 01 March 2026, 02:00."
    assert b'"changes":{"since":"2026-03-01T02:00:03Z","new":[1],"still":1,"gone":[{' in encode_report(report)


def test_what_nobody_looked_for_is_not_gone(make_finding, make_report):
    before = make_report(make_finding())
    open_section = Section(check="schema", title="Structure")

    report = with_changes(replace(before, sections=(open_section,)), [run_of(before)])

    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.changes.gone == ()


def test_run_of_other_databases_is_no_predecessor(make_report):
    before = make_report()
    other = replace(before, sides=tuple(replace(side, name="elsewhere") for side in before.sides))

    assert with_changes(other, [run_of(before)]).changes is None
    assert development(other) == ""


def test_last_run_of_the_same_kind_counts(make_finding, make_report):
    early = make_report(make_finding(), started_at=datetime(2026, 2, 1, tzinfo=UTC))
    late = make_report(started_at=datetime(2026, 2, 2, tzinfo=UTC))

    report = with_changes(make_report(make_finding()), [run_of(early), run_of(late)])

    assert len(report.changes.new) == 1
    assert report.changes.since == late.started_at
    assert "Nothing was found" in development(with_changes(make_report(), [run_of(late)]))


@given(...)
def test_run_survives_its_line(report: Report):
    line = encode(run_of(report))

    assert line.count(b"\n") == 1
    assert decode([line]) == (run_of(report),)


def test_lines_that_can_not_be_read_are_left_out(make_report):
    line = encode(run_of(make_report()))

    assert len(decode([line[:40], line, b"\xff", b"", b"{}"])) == 1


def test_so_many_findings_of_a_run_are_kept(make_finding, make_report):
    findings = [make_finding(object=f"public.t_{'x' * number}") for number in range(MOST_FINDINGS + 5)]

    run = run_of(make_report(*findings))

    assert (len(run.findings), run.total) == (MOST_FINDINGS, MOST_FINDINGS + 5)
