"""Every command of the salon ends as those of `trueup` do."""

import click
import pytest

from ai_admin.commands import run_command
from trueup.cli.exits import ExitCode
from trueup.errors import Refused, UsageError


def command(ending: object) -> click.Command:
    """Return a command that ends so."""

    @click.command()
    @click.pass_obj
    def work(about: object) -> object:
        if isinstance(ending, BaseException):
            raise ending
        return ending if ending != "about" else about

    return work


def noted(error: BaseException, note: str) -> BaseException:
    error.add_note(note)
    return error


@pytest.mark.parametrize(
    ("ending", "code", "said"),
    [
        (None, 0, ""),
        (ExitCode.FAILED, 1, ""),
        (UsageError("it is wrong"), 2, "error: it is wrong\n"),
        (Refused("it is unsafe"), 4, "error: it is unsafe\n"),
        (noted(Refused("it is unsafe"), "3 were deleted"), 4, "error: it is unsafe\n3 were deleted\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (click.exceptions.Exit(3), 3, ""),
    ],
    ids=["nothing", "code", "usage", "refused", "note", "interrupt", "exit"],
)
def test_ending_is_told_by_code_and_on_stderr(capsys, ending, code, said):
    assert run_command(command(ending), [], name="work.py") == code

    printed = capsys.readouterr()
    assert (printed.out, printed.err.lstrip("\n")) == ("", said)


def test_unknown_option_is_an_error_with_the_name_of_the_command(capsys):
    assert run_command(command(None), ["--unknown"], name="work.py") == 2

    said = capsys.readouterr().err
    assert "Usage: work.py" in said
    assert "--unknown" in said


def test_context_carries_what_the_command_is_about(capsys):
    assert run_command(command("about"), [], name="work.py", about=7) == 7


def test_help_is_no_failure(capsys):
    assert run_command(command(None), ["--help"], name="work.py") == 0
    assert "Usage: work.py" in capsys.readouterr().out


def test_defect_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        run_command(command(ZeroDivisionError()), [], name="work.py")
