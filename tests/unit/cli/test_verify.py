"""What a report says of how it was made."""

import shlex

import pytest

from trueup.cli.main import trueup
from trueup.cli.verify import Wanted, spell, typed, verify

NOTHING = Wanted(source=None, target=None, sample=None, versions=(None, None))


def test_command_is_told_with_all_that_was_asked(tmp_path):
    backup = tmp_path / "a b.dump"
    backup.touch()
    wanted = Wanted(source="old.sql", target="env:NEW DB", sample=None, versions=(16, None))

    said = spell(wanted, "ci", ["data", "schema"], ["probe"], backup, probe=True)

    words = shlex.split(said)
    assert words[:2] == ["trueup", "verify"]
    # Below its group, which names the help options: click keeps those that a command had first.
    group = trueup.make_context("trueup", [], resilient_parsing=True)
    asked = verify.make_context("verify", words[2:], parent=group, resilient_parsing=True).params
    assert {name: value for name, value in asked.items() if value and name != "folder"} == {
        "source": "old.sql",
        "target": "env:NEW DB",
        "profile": "ci",
        "probe": True,
        "checks": ("data", "schema"),
        "skipped": ("probe",),
        "backup": backup,
        "source_version": "16",
    }


def test_nothing_is_told_that_was_not_asked():
    assert spell(NOTHING, "", (), (), None, probe=False) == "trueup verify"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("embedded", "embedded"),
        ("embedded:16", "embedded:16"),
        ("env:SALON_DB", "env:SALON_DB"),
        ("old.sql", "old.sql"),
        ("service=old", "service=old"),
        ("postgresql://ann:hush@db.test:5433/salon?sslmode=require", "postgresql://ann@db.test:5433/salon"),
        ("host=db.test user=ann password=hush dbname=salon", "postgresql://ann@db.test/salon"),
        ("host=/run/pg port=5433 user=ann password=hush dbname=salon", "host=/run/pg port=5433 dbname=salon user=ann"),
        (None, None),
    ],
)
def test_database_is_told_as_it_was_named_without_a_password(name, shown):
    assert typed(name) == shown


@pytest.mark.parametrize(
    ("source", "target", "title"),
    [
        (None, "postgresql://ann:hush@db.test/salon", "postgresql://ann@db.test/salon"),
        ("old.sql", "env:NEW", "old.sql and env:NEW"),
    ],
)
def test_report_is_called_by_its_databases(source, target, title):
    """In a folder that keeps the reports on several, each has to be told from the others."""
    assert Wanted(source=source, target=target, sample=None, versions=(None, None)).title == title
