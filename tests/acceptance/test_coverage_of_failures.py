"""Every behaviour that the earlier suites named, and every failure that was found, has a test that names it.

What has none stands in the decisions, with the reason.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECISIONS = (ROOT / "docs/explanation/decisions.md").read_text(encoding="utf-8")

BEHAVIOURS = {
    "A": 39, "B": 28, "C": 26, "D": 19, "E": 10, "F": 8, "G": 18, "H": 20, "I": 15, "J": 12, "K": 8, "L": 24, "M": 13,
    "N": 19, "O": 17, "P": 24,
}  # fmt: skip
"""How many each of the earlier suites had."""
FAILURES = {"W-A": 10, "W-C": 5, "W-D": 10, "W-H": 14, "W-R": 34, "W-T": 13, "M-": 26}
"""How many were found of each kind."""


def numbered(counts: dict[str, int]) -> list[str]:
    return [f"{kind}{number}" for kind, count in counts.items() for number in range(1, count + 1)]


def text_of_tests(*folders: str) -> str:
    """Return all tests of folders, without this one."""
    files = (file for folder in folders for file in sorted((ROOT / "tests" / folder).rglob("test_*.py")))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def named(text: str) -> Iterator[str]:
    """Yield every id in a text: C1 of `C1-C2-two` and of `C1, C2`, but not of `W-C1`."""
    yield from re.findall(r"(?<!\w)(?:W-[A-Z]|M-)\d+(?!\w)", text)
    yield from re.findall(r"(?<!\w)(?<!\bW-)[A-P]\d+(?!\w)", text)


@pytest.mark.parametrize(
    ("counts", "folders"),
    [
        pytest.param(BEHAVIOURS, ["repositories"], id="behaviours"),
        pytest.param(FAILURES, ["unit", "integration", "repositories"], id="failures"),
    ],
)
def test_each_is_named_by_a_test_or_a_decision(counts, folders):
    known = {*named(text_of_tests(*folders)), *named(DECISIONS)}

    assert [each for each in numbered(counts) if each not in known] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('id="A19-A30-everything"', ["A19", "A30"]),
        ('"""W-A1, C3: M-18."""', ["W-A1", "M-18", "C3"]),
        ("W-C12 and XA1, A1x, M-1a, PA-12", ["W-C12"]),
    ],
)
def test_ids_are_told_from_what_looks_like_them(text, found):
    assert list(named(text)) == found
