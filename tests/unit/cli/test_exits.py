import pytest

from trueup import errors
from trueup.cli.exits import MEANINGS, VERDICTS, ExitCode, exit_code_of
from trueup.cli.main import COMMANDS, run
from trueup.report.model import Verdict

EXPECTED = {
    errors.UsageError: 2,
    errors.Refused: 4,
    errors.MigrationFailed: 1,
    errors.ServerUnavailable: 3,
    errors.ConnectionFailed: 3,
    errors.PermissionMissing: 3,
    errors.RowsHidden: 3,
    errors.Disconnected: 3,
    errors.LockTimeout: 3,
}


@pytest.mark.parametrize(("kind", "code"), EXPECTED.items(), ids=lambda value: getattr(value, "__name__", value))
def test_each_error_has_its_exit_code(kind, code):
    assert exit_code_of(kind("x")) == code


def test_every_verdict_and_code_is_documented():
    assert set(VERDICTS) == set(Verdict)
    assert set(MEANINGS) == set(ExitCode)


@pytest.mark.parametrize(
    ("words", "code"), [(["--help"], 0), (["--version"], 0), (["verify", "-h"], 0), (["colour"], 2), ([], 2)]
)
def test_help_and_unknown_words_need_no_database(words, code):
    assert run(words) == code


def test_defect_of_our_own_is_no_difference(monkeypatch, capsys):
    """Python would exit with 1, which here means that the databases differ."""
    monkeypatch.setitem(COMMANDS, "doctor", "trueup.cli.nosuch:doctor")

    assert run(["doctor"]) == ExitCode.UNVERIFIED
    assert "this is a defect of trueup; nothing was verified" in capsys.readouterr().err
