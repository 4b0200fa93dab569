"""How a command that people and cron call ends: with the exit codes of `trueup`."""

import click

from trueup.cli.exits import ExitCode, exit_code_of
from trueup.errors import TrueupError


def run_command(command: click.Command, arguments: list[str] | None, *, name: str, about: object = None) -> int:
    """Run a command, `about` what its context carries, and return its exit code; None for the arguments: the program's.

    What is wrong goes to stderr, with the notes of the error.
    """
    try:
        return int(command.main(arguments, prog_name=name, standalone_mode=False, obj=about) or ExitCode.PASSED)
    except click.Abort:
        click.echo("interrupted", err=True)
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except TrueupError as error:
        click.echo("\n".join([f"error: {error}", *getattr(error, "__notes__", ())]), err=True)
        return exit_code_of(error)
