"""`trueup data diff` compares columns as the project's configuration declares them."""

import json
from pathlib import Path
from typing import Any

import pytest

from trueup.cli.main import run

SOURCE = """
create table staff (id int primary key, fired boolean);
insert into staff values (1, false), (2, true);
"""
TARGET = """
create table staff (id int primary key, is_active boolean);
insert into staff values (1, true), (2, true);
"""
DECLARED = '[[conversions]]\ncolumn = "public.staff.is_active"\nsource = "fired"\nby = "not"\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a project with two databases, in which the command runs."""
    (tmp_path / "source.sql").write_text(SOURCE)
    (tmp_path / "target.sql").write_text(TARGET)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, Any]:
    code = run(["data", "diff", "source.sql", "target.sql", "--json", *options])
    return code, json.loads(capsys.readouterr().out or "{}")


def test_declared_conversion_finds_the_flag_that_was_not_turned_round(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """M-2."""
    (project / "trueup.toml").write_text(DECLARED)

    code, said = told(capsys, "--paranoid")

    [table] = said["tables"]
    assert code == 1
    assert table["changed"] == [{"key": ["2"], "columns": ["is_active"], "representation": False}]
    assert table["columns_not_compared"] == []


def test_conversion_that_does_not_fit_is_an_error_of_usage(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "trueup.toml").write_text(DECLARED.replace('"fired"', '"sacked"'))

    code = run(["data", "diff", "source.sql", "target.sql"])

    assert code == 2
    assert "the conversion of public.staff.is_active: public.staff has no column sacked" in capsys.readouterr().err
