from pathlib import Path

import pytest

from trueup.errors import UsageError
from trueup.migrations import read_migrations
from trueup.testing.lending.recipes import Recipe, is_parent, read_recipe
from trueup.testing.marks import Kind


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    folder = tmp_path / "schema"
    folder.mkdir()
    (folder / "1_first.sql").write_text("-- migrate:up\ncreate table first ();\n", encoding="utf-8")
    return folder


def seed(folder: Path, name: str, text: str = "select 1") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def recipe(schema: Path | None, *files: Path) -> Recipe:
    return read_recipe(Kind(schema=schema, seed=files))


def test_same_files_have_the_same_template(schema: Path) -> None:
    assert recipe(schema).name == recipe(schema).name


def test_template_follows_every_byte_of_migrations_and_seeds(schema: Path, tmp_path: Path) -> None:
    one, two = seed(tmp_path, "one.sql"), seed(tmp_path, "two.sql", "select 2")
    seen = [recipe(None).name, recipe(schema).name, recipe(schema, one).name, recipe(schema, two).name]
    seen += [recipe(schema, one, two).name, recipe(schema, two, one).name]

    (schema / "1_first.sql").write_text("-- migrate:up\ncreate table first ( );\n", encoding="utf-8")
    seen.append(recipe(schema).name)

    assert len(set(seen)) == len(seen)


def test_template_has_the_digest_of_its_migrations(schema: Path) -> None:
    (schema / "2_second.sql").write_bytes(b"-- migrate:up\r\ncreate table second ();\r\n")

    assert recipe(schema).schema_digest == read_migrations(schema).digest


def test_sql_is_not_read_for_the_name(schema: Path) -> None:
    (schema / "1_first.sql").write_text("no directive", encoding="utf-8")

    assert recipe(schema).name


def test_parts_do_not_run_together(schema: Path, tmp_path: Path) -> None:
    together = recipe(schema, seed(tmp_path, "a.sql", "ab"), seed(tmp_path, "b.sql", "c"))
    apart = recipe(schema, seed(tmp_path, "a.sql", "a"), seed(tmp_path, "b.sql", "bc"))

    assert together.name != apart.name


def test_seed_that_is_not_there_is_named(schema: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the seed .*nowhere\.sql"):
        recipe(schema, tmp_path / "nowhere.sql")


def test_time_zone_needs_no_template_of_its_own(schema: Path) -> None:
    assert read_recipe(Kind(schema=schema, timezone="Europe/Berlin")).name == recipe(schema).name


def test_parent_is_what_the_other_begins_with(schema: Path, tmp_path: Path) -> None:
    one, two = seed(tmp_path, "one.sql"), seed(tmp_path, "two.sql", "select 2")

    assert is_parent(recipe(schema), recipe(schema, one))
    assert is_parent(recipe(schema, one), recipe(schema, one, two))
    assert not is_parent(recipe(schema), recipe(schema))
    assert not is_parent(recipe(schema, two), recipe(schema, one, two))
    assert not is_parent(recipe(None), recipe(schema, one))
