"""Migrations from the command line."""

import pytest

from trueup.cli.exits import ExitCode


@pytest.fixture
def folder(tmp_path):
    """Write two migrations, and the configuration that declares them."""
    migrations = tmp_path / "migrations"
    migrations.mkdir()
    for version, table in (("001", "shop"), ("002", "client")):
        text = f"-- migrate:up\ncreate table {table} (id int primary key);\n-- migrate:down\ndrop table {table};\n"
        (migrations / f"{version}_{table}.sql").write_text(text)
    (tmp_path / "trueup.toml").write_text('schema = "migrations"\n')
    return migrations


def test_up_status_and_down_of_the_declared_schema(trueup, databases, folder):
    up = trueup("migrate", "up", databases.target)
    again = trueup("migrate", "up", databases.target)
    status = trueup("migrate", "status", databases.target)
    down = trueup("migrate", "down", databases.target)

    assert (up.code, up.out) == (ExitCode.PASSED, "applied 001_shop.sql\napplied 002_client.sql\n")
    assert again.out == "nothing applied: there was nothing to do\n"
    assert (status.code, status.out) == (ExitCode.PASSED, "applied  001 shop\napplied  002 client\n")
    assert down.out == "undone 002_client.sql\n"


def test_pending_and_unknown_versions_are_told_and_fail(trueup, databases, folder):
    trueup("migrate", "up", databases.target, "--to", "001")
    pending = trueup("migrate", "status", databases.target)
    (folder / "001_shop.sql").unlink()
    unknown = trueup("migrate", "status", databases.target)

    assert (pending.code, pending.out) == (ExitCode.FAILED, "applied  001 shop\npending  002 client\n")
    assert "missing  001 (its file is not here)" in unknown.out


def test_migrated_database_equals_the_declared_schema(trueup, databases, folder):
    trueup("migrate", "up", databases.target)

    done = trueup("schema", "diff", "embedded", databases.target)

    assert done.code == ExitCode.PASSED


def test_broken_migration_names_file_and_line_and_leaves_nothing(trueup, databases, folder):
    (folder / "003_bad.sql").write_text("-- migrate:up\ncreate table half (id int);\ncreate tabel whole (id int);\n")

    done = trueup("migrate", "up", databases.target, "--folder", folder)

    assert done.code == ExitCode.FAILED
    assert "003_bad.sql:3" in done.err
    assert trueup("migrate", "status", databases.target).out.endswith("pending  003 bad\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("down", "--to", "001", "--steps", "2"), "give one of them"),
        (("up", "--folder", "nosuch"), "nosuch"),
        (("up", "--to", "009"), "009"),
    ],
    ids=["to and steps", "no folder", "unknown version"],
)
def test_bad_usage_is_told(trueup, databases, folder, words, said):
    done = trueup("migrate", words[0], databases.target, *words[1:])

    assert done.code == ExitCode.USAGE
    assert said in done.err


def test_declared_migrations_are_tried_up_down_and_up(trueup, folder):
    done = trueup("migrate", "verify")

    assert done.code == ExitCode.PASSED
    assert "2 migrations, 2 undone and applied again" in " ".join(done.out.split())
    assert "each of them can be applied, undone and applied again" in done.out
    assert "the target" not in done.out


def test_migration_that_does_not_lead_back_fails(trueup, folder):
    (folder / "003_note.sql").write_text("-- migrate:up\nalter table client add note text;\n-- migrate:down\nselect;\n")

    done = trueup("migrate", "verify", "--db-version", "16", "--json")

    [finding] = done.json["findings"]
    assert (done.code, done.json["verdict"]) == (ExitCode.FAILED, "failed")
    assert (finding["object"], finding["details"]) == (
        "003_note.sql", ["column public.client.note is left over"]
    )  # fmt: skip
    assert done.json["compared"]["undone and applied again"] == 2
    assert done.json["notes"][0] == "Migrations: tried on PostgreSQL 16."


def test_nothing_declared_says_what_to_declare(trueup, databases):
    done = trueup("migrate", "up", databases.target)

    assert done.code == ExitCode.USAGE
    assert "give --folder, or declare" in done.err
