"""The page on isolation names messages and options as they are."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explanation/isolation.md").read_text(encoding="utf-8")
SOURCES = [file.read_text(encoding="utf-8") for file in (ROOT / "src/trueup/testing").rglob("*.py")]
HEADINGS = re.findall(r"^### (.*)$", PAGE, re.MULTILINE)


def texts() -> Iterator[str]:
    """Yield every string of the harness, with … for each value that is put in."""
    for node in (node for source in SOURCES for node in ast.walk(ast.parse(source))):
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
