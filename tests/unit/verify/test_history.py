"""The file of runs."""

import fcntl
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from trueup.report.model import Finding, Report, Section, Severity, Verdict
from trueup.verify import history
from trueup.verify.history import read_runs, remember

FINDING = Finding(check="data", verdict=Verdict.FAILED, severity=Severity.BREAKING, object="public.t", message="1 row")


def report(*findings, title="two"):
    section = Section(check="data", title="Rows", compared={"rows": 3}, findings=findings)
    return Report(title=title, version="1", started_at=datetime(2026, 3, 1, tzinfo=UTC), sections=(section,))


def test_second_run_knows_the_first(tmp_path):
    file = tmp_path / "history.jsonl"

    first = remember(report(FINDING), file)
    second = remember(report(), file)

    assert first.changes is None
    assert [one.object for one in second.changes.gone] == ["public.t"]
    assert [run.verdict for run in read_runs(file)] == [Verdict.FAILED, Verdict.PASSED]


def test_line_that_was_cut_off_costs_no_other(tmp_path):
    file = tmp_path / "history.jsonl"
    remember(report(), file)
    file.write_bytes(file.read_bytes() + b'{"schema_version":1,"at":"20')

    remember(report(FINDING), file)

    assert [run.verdict for run in read_runs(file)] == [Verdict.PASSED, Verdict.FAILED]


def test_oldest_runs_are_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "MOST_RUNS", 3)
    file = tmp_path / "history.jsonl"

    for number in range(5):
        remember(report(title=str(number)), file)

    assert [run.title for run in read_runs(file)] == ["2", "3", "4"]


def test_history_does_not_grow_beyond_its_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "MOST_BYTES", 4_000)
    file = tmp_path / "history.jsonl"

    for number in range(40):
        remember(report(title=str(number)), file)

    assert file.stat().st_size <= 4_000
    assert read_runs(file)[-1].title == "39"


def test_runs_at_the_same_time_are_all_kept(tmp_path):
    file = tmp_path / "history.jsonl"

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: remember(report(title=str(number)), file), range(24)))

    assert {run.title for run in read_runs(file)} == {str(number) for number in range(24)}


def test_writer_waits_for_another_process(tmp_path):
    file = tmp_path / "history.jsonl"
    lock = os.open(tmp_path / ".history.jsonl.lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)

    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(remember, report(), file)
        with pytest.raises(TimeoutError):
            work.result(0.05)
        os.close(lock)

        assert work.result(10)


def test_history_that_can_not_be_kept_is_a_note_and_changes_no_verdict(tmp_path):
    kept = remember(report(), tmp_path / "nosuch" / "history.jsonl")

    assert kept.verdict is Verdict.PASSED
    assert kept.notes[0].startswith("History: ")
    assert replace(kept, notes=()) == report()
