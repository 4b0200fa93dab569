"""Which names stand for the same."""

import pytest

from trueup.cli.databases import refuse_same
from trueup.errors import Refused
from trueup.settings import Settings

NONE = (None, None)


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.sql", "b.sql", "a.json"):
        (tmp_path / name).touch()
    (tmp_path / "migrations").mkdir()
    (tmp_path / "link.sql").symlink_to("a.sql")
    return Settings(cache_folder=tmp_path, schema=tmp_path / "migrations")


@pytest.mark.parametrize(
    ("source", "target", "versions"),
    [
        ("a.sql", "a.sql", NONE),
        ("a.sql", "./a.sql", NONE),
        ("a.sql", "link.sql", (18, None)),
        ("migrations", "migrations/", (16, 16)),
        ("embedded", "embedded", NONE),
        ("embedded", "migrations", NONE),
        ("embedded:16", "embedded:16", (16, 18)),
        ("embedded:18", "embedded", NONE),
    ],
)
def test_same_files_on_the_same_version_are_refused(settings, source, target, versions):
    with pytest.raises(Refused, match="it equals itself"):
        refuse_same(source, target, versions, settings)


@pytest.mark.parametrize(
    ("source", "target", "versions"),
    [
        ("a.sql", "a.sql", (16, None)),
        ("a.sql", "b.sql", NONE),
        ("embedded", "embedded:16", NONE),
        ("a.json", "a.json", NONE),
        ("no.sql", "no.sql", NONE),
        ("service=a", "service=a", NONE),
        ("a.sql", "env:A", NONE),
        ("", "", NONE),
        ("~nobody_of_that_name/a.sql", "~nobody_of_that_name/a.sql", NONE),
        ("x" * 5000, "x" * 5000, NONE),
        ("a\0b", "a\0b", NONE),
    ],
)
def test_others_are_not(settings, source, target, versions):
    """Databases and kept structures are told apart when they are open, and what is no name is told as such."""
    refuse_same(source, target, versions, settings)


def test_a_schema_that_is_not_declared_is_told_as_such(tmp_path):
    refuse_same("embedded", "embedded", NONE, Settings(cache_folder=tmp_path))
