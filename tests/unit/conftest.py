"""Deals the files of unit tests out to processes: `--share=1/2` and `--share=2/2` run each test once, side by side.

Each process imports and collects what it runs, and nothing is sent from one to the other.
"""

from functools import cache
from pathlib import Path

import pytest

UNIT = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--share", type=share, metavar="K/N", help="of N shares of the files, run the K-th alone")


def share(text: str) -> tuple[int, int]:
    """Return which share of how many a text means, which are counted from 1."""
    number, total = map(int, text.split("/"))
    if not 1 <= number <= total:
        raise ValueError(text)
    return number, total


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave a file that belongs to another share to that one; pytest doesn't ask about files that are named."""
    if (wanted := config.getoption("share", None)) is None:
        return None
    number, total = wanted
    return True if owners(total).get(collection_path, number) != number else None


@cache
def owners(total: int) -> dict[Path, int]:
    """Return whose each file of unit tests is."""
    return deal({path: path.stat().st_size for path in UNIT.rglob("test_*.py")}, total)


def deal(sizes: dict[Path, int], total: int) -> dict[Path, int]:
    """Return whose each file is: the largest are dealt first, each to who has least."""
    held, owner = dict.fromkeys(range(1, total + 1), 0), {}
    for path in sorted(sizes, key=lambda path: (-sizes[path], path)):
        owner[path] = min(held, key=held.__getitem__)
        held[owner[path]] += sizes[path]
    return owner
