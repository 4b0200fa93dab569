"""What the documentation says is what the code does."""

import re
import runpy
import shlex
from pathlib import Path

import click
import pytest

from trueup.cli import trueup
from trueup.cli.exits import MEANINGS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "fixtures").rglob("*.md")])
COMMAND = re.compile(r"^(?:\.venv/bin/)?trueup (.*?)(?:  +#.*)?$", re.MULTILINE)


def test_reference_of_commands_is_what_the_commands_say():
    written = runpy.run_path(str(ROOT / "scripts/write_reference.py"))

    assert written["PAGE"].read_text(encoding="utf-8") == written["render"](), "run: python scripts/write_reference.py"


def test_exit_codes_of_the_readme_are_those_of_the_code():
    table = dict(re.findall(r"^\| (\d+) \| (.*) \|$", README, re.MULTILINE))

    assert table == {str(int(code)): meaning for code, meaning in MEANINGS.items()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_code_blocks_exist_with_their_options(page):
    for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        for words in COMMAND.findall(block):
            arguments = shlex.split(words, comments=True)
            command, context = trueup, click.Context(trueup)
            while isinstance(command, click.Group):
                command = command.get_command(context, arguments.pop(0))
                assert command, words
            command.make_context("command", arguments)


@pytest.mark.parametrize("name", ["verify", "test"])
def test_newcomers_command_is_one_line_behind_its_mark(name):
    block = re.search(rf"<!-- newcomer: {name} -->\n```sh\n(.*)\n```", README)

    assert block
    assert "\n" not in block[1]


def test_continuous_integration_runs_the_readmes_command():
    assert "newcomer: test" in (ROOT / ".ci/run").read_text(encoding="utf-8")
