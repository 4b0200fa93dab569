from pathlib import Path

import pytest

from trueup.migrations import Migrations
from trueup.migrations.files import parse_migration
from trueup.migrations.runner import compare

MIGRATIONS = Migrations(
    folder=Path("m"),
    files=tuple(parse_migration(Path(f"{version}_x.sql"), b"-- migrate:up\n") for version in ("002", "003", "010")),
)

STATES = {
    "nothing applied": ([], "002 pending, 003 pending, 010 pending"),
    "some applied": (["002", "003"], "002 applied, 003 applied, 010 pending"),
    "pending below the newest applied": (["003"], "002 late, 003 applied, 010 pending"),
    "applied without a file": (["004"], "002 late, 003 late, 004 missing, 010 pending"),
    "order is by number": (["11", "9"], "002 late, 003 late, 9 missing, 010 late, 11 missing"),
    "version that is no number": (["base"], "002 late, 003 late, 010 late, base missing"),
}


@pytest.mark.parametrize(("applied", "expected"), STATES.values(), ids=STATES.keys())
def test_state_of_each_version(applied: list[str], expected: str):
    found = compare(MIGRATIONS, frozenset(applied))

    assert ", ".join(f"{each.version} {each.state}" for each in found) == expected


def test_missing_file_has_no_name():
    found = compare(MIGRATIONS, frozenset({"004"}))

    assert [each.name for each in found] == ["x", "x", None, "x"]
