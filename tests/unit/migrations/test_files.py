from pathlib import Path

import pytest

from trueup.errors import MigrationFailed, UsageError
from trueup.migrations import Migration, Migrations, read_migrations
from trueup.migrations.files import parse_migration


def parse(text: str | bytes, name: str = "001_first.sql") -> Migration:
    return parse_migration(Path(name), text.encode() if isinstance(text, str) else text)


def write(folder: Path, **files: str | bytes) -> Path:
    for name, text in files.items():
        (folder / f"{name}.sql").write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


UP = "-- migrate:up\nselect 1;\n"
BOTH = f"{UP}-- migrate:down\nselect 2;\n"


def test_file_holds_both_blocks_as_they_stand():
    found = parse("-- why\n\n-- migrate:up\nselect 1;\n\n-- migrate:down transaction:false\nselect 2;")

    assert found.version == "001"
    assert found.name == "first"
    assert found.up.sql == "-- migrate:up\nselect 1;\n\n"
    assert found.up.line == 3
    assert found.up.in_transaction
    assert found.down
    assert found.down.sql == "-- migrate:down transaction:false\nselect 2;"
    assert found.down.line == 6
    assert not found.down.in_transaction


DIRECTIVES = {
    "plain": "-- migrate:up",
    "no blank": "--migrate:up",
    "more blanks": "--  \tmigrate:up  ",
    "carriage return": "-- migrate:up\r",
    "option": "-- migrate:up transaction:true",
    "option between tabs, carriage return": "-- migrate:up\ttransaction:true \r",
}


@pytest.mark.parametrize("directive", DIRECTIVES.values(), ids=DIRECTIVES.keys())
def test_directive_is_found(directive: str):
    found = parse(f"{directive}\nselect 1;\r\n")

    assert found.up.in_transaction
    assert len(found.up.statements) == 1


MALFORMED = {
    "empty": ("", 1, "holds no"),
    "no directive": ("-- only a comment\nselect 1;", 1, "holds no"),
    "down alone": ("\n-- migrate:down\n", 2, "out of place"),
    "down before up": ("-- migrate:down\n-- migrate:up\n", 1, "out of place"),
    "two ups": (f"{UP}{UP}", 3, "out of place"),
    "two downs": (f"{BOTH}-- migrate:down\n", 5, "out of place"),
    "two pairs": (f"{BOTH}{BOTH}", 5, "out of place"),
    "indented": (f"{UP}  -- migrate:down\n", 3, "looks like a directive"),
    "upper case": ("-- MIGRATE:UP\n", 1, "looks like a directive"),
    "blank inside": ("-- migrate: up\n", 1, "looks like a directive"),
    "semicolon behind": ("-- migrate:up;\n", 1, "looks like a directive"),
    "unknown option": ("-- migrate:up transactional:false\n", 1, "'transactional:false'"),
    "value in upper case": ("-- migrate:up transaction:FALSE\n", 1, "'transaction:FALSE'"),
    "options at odds": ("-- migrate:up transaction:true transaction:false\n", 1, "more than one option"),
    "unknown option below": (f"{UP}-- migrate:down please\n", 3, "'please'"),
    "statement before": (f"-- why\nselect 1;\n{UP}", 2, "would never run"),
    "block comment before": (f"/* why */\n{UP}", 1, "would never run"),
    "latin-1": (b"-- migrate:up\n-- caf\xe9\n", 2, "not UTF-8"),
    "utf-16": (UP.encode("utf-16"), 1, "not UTF-8"),
    "byte order mark": (b"\xef\xbb\xbf" + UP.encode(), 1, "byte order mark"),
    "NUL": ("-- migrate:up\nselect '\0';", 2, "NUL"),
    "begin": ("-- migrate:up\n\nbegin;\nselect 1;", 3, "`begin` would end the transaction"),
    "start transaction": ("-- migrate:up\nstart transaction;", 2, "`start`"),
    "commit": ("-- migrate:up\nselect 1; /* so */ COMMIT;", 2, "`commit`"),
    "end": ("-- migrate:up\nend;", 2, "`end`"),
    "rollback": ("-- migrate:up\nrollback;", 2, "`rollback`"),
    "rollback in down": (f"{UP}-- migrate:down\nselect 1;\nrollback;", 5, "`rollback`"),
    "abort": ("-- migrate:up\nabort;", 2, "`abort`"),
    "prepare transaction": ("-- migrate:up\nprepare transaction 'a';", 2, "`prepare`"),
    "copy from stdin": ("-- migrate:up\ncopy t (a) from stdin;\n1\n\\.\n", 2, "COPY"),
    "copy to stdout": ("-- migrate:up transaction:false\ncopy t to stdout;", 2, "COPY"),
}


@pytest.mark.parametrize(("text", "line", "problem"), MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_file_is_named_with_its_line(text: str | bytes, line: int, problem: str):
    with pytest.raises(MigrationFailed) as caught:
        parse(text)

    assert str(caught.value).startswith(f"001_first.sql:{line}: ")
    assert problem in str(caught.value)


ALLOWED = {
    "savepoint": "-- migrate:up\nsavepoint a; rollback to a; rollback to savepoint a; release a;",
    "prepare a statement": "-- migrate:up\nprepare a as select 1;",
    "begin in a body": "-- migrate:up\ndo $$ begin commit; end $$;",
    "begin where the block wants it": "-- migrate:up transaction:false\nbegin; select 1; commit;",
    "copy from a file": "-- migrate:up\ncopy t from '/stdin';",
    "empty up": "-- migrate:up\n-- nothing yet\n-- migrate:down\n",
    "a comment about migrating": "-- migrate users\n-- migrate:up\n-- migrate: the upper half\nselect 1;",
}


@pytest.mark.parametrize("text", ALLOWED.values(), ids=ALLOWED.keys())
def test_harmless_file_is_read(text: str):
    assert parse(text).up.sql


@pytest.mark.parametrize(
    "down", ["", "-- migrate:down", "-- migrate:down\n\n-- todo\n"], ids=["none", "bare", "comment"]
)
def test_down_without_a_statement_can_not_undo_an_up_with_one(down: str):
    assert parse(UP + down).down is None


def test_empty_down_undoes_an_empty_up():
    assert parse("-- migrate:up\n-- migrate:down\n").down


@pytest.mark.parametrize("name", ["first.sql", "v1_first.sql", "\u0661_first.sql", "001_first.SQL", "_1.sql"])
def test_file_without_a_version_is_refused(name: str):
    with pytest.raises(MigrationFailed, match="not named VERSION_name"):
        parse(UP, name)


NAMES = {"1.sql": ("1", ""), "20260101_a_b.sql": ("20260101", "a_b"), "7-x.sql": ("7", "x"), "7x.y.sql": ("7", "x.y")}


@pytest.mark.parametrize(("name", "expected"), NAMES.items(), ids=NAMES)
def test_version_is_the_leading_digits(name: str, expected: tuple[str, str]):
    found = parse(UP, name)

    assert (found.version, found.name) == expected


def test_folder_is_read_in_order_and_other_files_are_left_out(tmp_path: Path):
    write(tmp_path, **{"010_b": UP, "002_a": UP, ".003_hidden": "x"})
    (tmp_path / "README.md").write_text("x")
    (tmp_path / "003_folder.sql").mkdir()

    found = read_migrations(tmp_path)

    assert [migration.version for migration in found.files] == ["002", "010"]


def test_empty_folder_is_an_error(tmp_path: Path):
    with pytest.raises(UsageError, match="holds no migration"):
        read_migrations(tmp_path)


@pytest.mark.parametrize("name", ["absent", "file"])
def test_folder_that_can_not_be_read_is_an_error(tmp_path: Path, name: str):
    (tmp_path / "file").write_text("x")

    with pytest.raises(UsageError, match="cannot read migrations"):
        read_migrations(tmp_path / name)


@pytest.mark.parametrize(("first", "second"), [("1_a", "1_b"), ("01_a", "1_b")])
def test_two_files_with_one_version_are_refused(tmp_path: Path, first: str, second: str):
    write(tmp_path, **{first: UP, "1000_z": UP, second: UP})

    with pytest.raises(MigrationFailed, match="same version"):
        read_migrations(tmp_path)


def test_order_that_depends_on_who_sorts_is_refused(tmp_path: Path):
    write(tmp_path, **{"9_a": UP, "10_b": UP})

    with pytest.raises(MigrationFailed, match=r"10_b\.sql comes before 9_a\.sql by name"):
        read_migrations(tmp_path)


def digest_of(folder: Path, **files: str) -> str:
    folder.mkdir()
    return read_migrations(write(folder, **files)).digest


def test_digest_depends_on_versions_and_contents_alone(tmp_path: Path):
    digest = digest_of(tmp_path / "a", **{"1_a": UP, "2_b": BOTH})

    assert digest == digest_of(tmp_path / "b", **{"1_renamed": UP, "2_b": BOTH})
    assert digest != digest_of(tmp_path / "c", **{"1_a": UP, "3_b": BOTH})
    assert digest != digest_of(tmp_path / "d", **{"1_a": UP, "2_b": BOTH + " "})
    assert digest != digest_of(tmp_path / "e", **{"1_a": UP.replace("\n", "\r\n"), "2_b": BOTH})
    assert digest != digest_of(tmp_path / "f", **{"1_a": UP})


def test_unknown_version_is_a_usage_error():
    migrations = Migrations(folder=Path("m"), files=(parse(UP),))

    with pytest.raises(UsageError, match="m holds no migration 002; its newest is 001"):
        migrations.up_to("002")
