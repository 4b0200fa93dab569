"""`trueup data diff` compares columns as the project's configuration declares them."""

import json
import os
import stat
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


def test_repair_is_written_for_its_owner_alone_and_run_by_nobody(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "trueup.toml").write_text(DECLARED)
    umask = os.umask(0)

    code, said = told(capsys, "--repair", "repair.sql")

    os.umask(umask)
    texts = [(project / name).read_text() for name in ("repair.sql", "repair.back.sql")]
    assert code == 1
    assert said["repair"] == {
        "file": "repair.sql",
        "back": "repair.back.sql",
        "inserts": 0,
        "updates": 1,
        "deletes": 0,
        "not_repaired": [],
        "triggers": [],
    }
    assert all("IT HOLDS VALUES OF ROWS" in text for text in texts)
    assert {stat.S_IMODE((project / name).stat().st_mode) for name in ("repair.sql", "repair.back.sql")} == {0o600}


def test_repair_overwrites_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "repair.back.sql").write_text("mine")

    code = run(["data", "diff", "source.sql", "target.sql", "--repair", "repair.sql"])

    assert code == 2
    assert "repair.back.sql is there already" in capsys.readouterr().err
    assert (project / "repair.back.sql").read_text() == "mine"
    assert not (project / "repair.sql").exists()


def test_repair_that_has_nowhere_to_go_is_told_before_anything_is_compared(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["data", "diff", "nothing.sql", "nowhere.sql", "--repair", "gone/repair.sql"])

    assert code == 2
    assert "cannot write gone/repair.sql: No such file or directory" in capsys.readouterr().err


def test_nothing_to_repair_leaves_no_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "target.sql").write_text(SOURCE + "comment on table staff is 'another';")

    code = run(["data", "diff", "source.sql", "target.sql", "--repair", "repair.sql"])

    assert code == 0
    assert "There is nothing that can be repaired, so no file was written." in capsys.readouterr().out
    assert list(project.glob("repair*")) == []


def test_window_is_told_and_a_sample_is_never_green(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "target.sql").write_text(SOURCE)

    wrong, _ = told(capsys, "--where", "staff_id > 0")
    right, said = told(capsys, "--where", "id > 0", "--where", "public.staff: id < 2", "--since", "id=1")
    sample = told(capsys, "--sample", "100%")
    text = run(["data", "diff", "source.sql", "target.sql", "--sample", "100%"])

    assert (wrong, right, said["tables"][0]["source_rows"]) == (2, 0, 1)
    assert said["window"] == {"where": ["id > 0", "public.staff: id < 2"], "since": "id=1", "sample": None}
    assert (sample[0], sample[1]["verdict"], sample[1]["tables"][0]["sample"]) == (3, "inconclusive", True)
    assert sample[1]["window"] == {"where": [], "since": None, "sample": "100%"}
    assert text == 3
    assert "This is a sample: 100 % of the rows" in capsys.readouterr().out


def test_recheck_of_the_configuration_holds_unless_the_command_says_otherwise(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "trueup.toml").write_text("recheck = 0.001\n" + DECLARED)

    code, said = told(capsys, "--repair", "repair.sql")
    off, plain = told(capsys, "--recheck", "0")

    assert (code, off) == (1, 1)
    assert said["tables"][0]["counts"] == {"missing": 0, "extra": 0, "changed": 1, "settled": 0, "moving": 0}
    assert said["tables"][0]["changed"] == plain["tables"][0]["changed"]
    assert said["recheck"] == {"seconds": 0.001, "settled": 0, "still_different": 1, "still_moving": 0}
    assert ("recheck" in plain, said["repair"]["updates"]) == (False, 1)


def test_verify_reads_rows_again_as_the_configuration_says(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "trueup.toml").write_text("recheck = 0.001\n" + DECLARED)

    code = run(["verify", "--source", "source.sql", "--target", "target.sql", "--check", "data", "--json"])

    said = json.loads(capsys.readouterr().out)
    assert (code, said["sections"][0]["verdict"]) == (1, "failed")
    assert any("0 settled, 1 still different, 0 still moving" in note for note in said["notes"])
