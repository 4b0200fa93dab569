"""The page on isolation names messages and options as they are."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explanation/isolation.md").read_text(encoding="utf-8")
HEADINGS = re.findall(r"^### (.*)$", PAGE, re.MULTILINE)


@cache
def texts() -> list[str]:
    """Return every string of the harness, with … for each value that is put in."""
    files = (ROOT / "src/trueup/testing").rglob("*.py")
    return [text for file in files for text in texts_of(file.read_text(encoding="utf-8"))]


def texts_of(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("heading", HEADINGS)
def test_message_is_one_of_the_code(heading: str) -> None:
    parts = [re.escape(part.strip()) for part in heading.split("…") if part.strip()]

    assert any(re.search(".*".join(parts), text, re.DOTALL) for text in texts())


def test_every_option_of_isolation_is_told() -> None:
    options = (ROOT / "src/trueup/testing/options.py").read_text(encoding="utf-8")

    for name in re.findall(r'"((?:--trueup-|trueup_)\w+)"', options):
        assert f"`{name}`" in PAGE, name
