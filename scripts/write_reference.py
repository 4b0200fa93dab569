"""Write docs/reference/cli.md from the commands themselves: python scripts/write_reference.py."""

from collections.abc import Iterator
from pathlib import Path

import click

from trueup.cli import trueup

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"
TITLE = """# Commands

Written from the commands by `python scripts/write_reference.py`. Every page is what `--help` prints.
"""


def commands(command: click.Command, context: click.Context) -> Iterator[click.Context]:
    """Yield the context of a command and of every command below it, depth first."""
    yield context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below:
                yield from commands(below, click.Context(below, info_name=name, parent=context))


def render() -> str:
    """Return the page."""
    root = click.Context(trueup, info_name="trueup", terminal_width=100, help_option_names=["-h", "--help"])
    pages = [f"\n## {one.command_path}\n\n```text\n{one.get_help()}\n```\n" for one in commands(trueup, root)]
    return TITLE + "".join(pages)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
