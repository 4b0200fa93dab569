"""The group of all commands, and how their endings become exit codes."""

import os
import signal
import sys
import traceback
from importlib import import_module
from importlib.metadata import version
from types import FrameType
from typing import NoReturn

import click

from trueup import observe
from trueup.cli.exits import MEANINGS, ExitCode, exit_code_of
from trueup.errors import TrueupError
from trueup.settings import Settings

COMMANDS = {
    "verify": "trueup.cli.verify:verify",
    "report": "trueup.cli.report:report_command",
    "schema": "trueup.cli.schema:schema",
    "data": "trueup.cli.data:data",
    "contracts": "trueup.cli.contracts:contracts",
    "migrate": "trueup.cli.migrate:migrate",
    "budget": "trueup.cli.budget:budget_command",
    "services": "trueup.cli.services:services_command",
    "testdata": "trueup.cli.testdata:testdata",
    "serve": "trueup.cli.serve:serve_command",
    "doctor": "trueup.cli.doctor:doctor",
}


class LazyGroup(click.Group):
    """Imports a command's module only when the command is named, so that each pays for its own libraries."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 — click's signature
        """Return the names in the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 — as above
        """Return the command, or None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code:<4} {meaning}" for code, meaning in MEANINGS.items())


@click.group(
    cls=LazyGroup,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(version("trueup"), prog_name="trueup")
def trueup() -> None:
    """Prove that two PostgreSQL databases are the same, and that a data layer does what it says.

    A database DB is named by: a libpq URI or conninfo string; service=NAME; env:NAME (a variable that holds one);
    FILE.sql or a folder of migrations (built on a scratch server); embedded (the project's declared schema, on
    PostgreSQL 18; embedded:16 on 16).
    """


def main() -> NoReturn:
    """Run the command line and exit with a documented code."""
    signal.signal(signal.SIGTERM, raise_exit)
    sys.exit(run(sys.argv[1:]))


def raise_exit(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 — the signature of a handler
    """Turn a signal into an orderly end, so that servers and connections are closed."""
    raise SystemExit(128 + number)


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code."""
    try:
        observe.instrument(Settings.load().observe)
        return invoke(arguments)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return ExitCode.INTERRUPTED
    except TrueupError as error:
        click.echo(f"error: {error}", err=True)
        return exit_code_of(error)
    except BrokenPipeError:
        # The reader of our output has gone. What is still buffered has nowhere to go either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.UNVERIFIED
    except Exception as error:  # noqa: BLE001 — Python's own exit code for it is 1, which here means "differences found"
        observe.report_failure(error, component="cli", operation="command")
        traceback.print_exc()
        click.echo("error: this is a defect of trueup; nothing was verified", err=True)
        return ExitCode.UNVERIFIED


def invoke(arguments: list[str]) -> int:
    """Run the command line as far as click knows it: help, usage, the command itself.

    `Group.main` would do this too, but answers a closed pipe with exit code 1.
    """
    try:
        with trueup.make_context("trueup", arguments) as context:
            return int(trueup.invoke(context))
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
