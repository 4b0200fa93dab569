from pathlib import Path
from types import MappingProxyType

import pytest

from trueup.errors import MigrationFailed, UsageError
from trueup.servers import open_source
from trueup.servers.source import database_name, describe_script_error
from trueup.settings import Settings


def settings(tmp_path: Path, **variables: str) -> Settings:
    return Settings(cache_folder=tmp_path / "cache", variables=MappingProxyType(variables))


def refusal(name: str, where: Settings) -> str:
    with pytest.raises((UsageError, MigrationFailed)) as caught, open_source(name, where):
        pass
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("postgresql://me@127.0.0.1:5433/shop", {"user": "me", "host": "127.0.0.1", "port": "5433", "dbname": "shop"}),
        ("postgres:///shop", {"dbname": "shop"}),
        ("host=127.0.0.1 dbname=shop", {"host": "127.0.0.1", "dbname": "shop"}),
        ("service=live", {"service": "live"}),
        ("env:SHOP", {"dbname": "shop"}),
    ],
)
def test_connection_strings_are_taken_as_they_are(tmp_path: Path, name: str, parameters: dict[str, str]) -> None:
    with open_source(name, settings(tmp_path, SHOP="dbname=shop")) as conninfo:
        assert conninfo.parameters == parameters


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("env:MISSING", "MISSING is not set"),
        ("env:BLANK", "BLANK is empty"),
        ("env:", "env: names no variable"),
        ("embedded", "none is declared"),
        ("embedded:16", "none is declared"),
        ("nowhere.sql", "no file or folder is named nowhere.sql"),
        ("nowhere/", "no file or folder is named nowhere/"),
        ("~nobody_of_that_name/schema.sql", "no file or folder is named ~nobody_of_that_name/schema.sql"),
        ("x" * 5000, "File name too long"),
        ("postgresql//me:pw@host/db", "not shown"),
    ],
)
def test_unusable_name_is_explained(tmp_path: Path, name: str, said: str) -> None:
    message = refusal(name, settings(tmp_path, BLANK=" "))

    assert said in message
    assert "pw" not in message


def test_password_in_a_variable_that_cannot_be_read_is_not_shown(tmp_path: Path) -> None:
    message = refusal("env:LIVE", settings(tmp_path, LIVE="postgresql://me:geheim%zz@host/db"))

    assert "LIVE" in message
    assert "geheim" not in message


def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("select 1;")

    assert "not a .sql file" in refusal(str(tmp_path / "notes.txt"), settings(tmp_path))


def test_empty_folder_is_refused_before_a_server_starts(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()

    assert "holds no migration" in refusal(str(tmp_path / "migrations"), settings(tmp_path))
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("path", "name"),
    [("a/shop.sql", "shop"), ("postgres.sql", "source"), ("schema/", "schema"), ("ж" * 40 + ".sql", "ж" * 31)],
)
def test_database_is_named_after_its_file(path: str, name: str) -> None:
    assert database_name(Path(path)) == name


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        (
            'psql:/d/a.sql:3: ERROR:  42P01: relation "x" does not exist\nLINE 1: …',
            'a.sql:3: relation "x" does not exist',
        ),
        ('psql:/d/a.sql:9: ERROR:  22P02: invalid input syntax for type integer: "+700"\n', "a.sql:9: invalid input"),
        ('psql:a.sql:1: ERROR:  42704: role "owner" does not exist', "--no-owner"),
        ('psql:a.sql:1: ERROR:  0A000: extension "x" is not available', "real server"),
        ("psql:a.sql:2: error: b.sql: No such file or directory", "b.sql: No such file"),
        ("", "printed nothing"),
    ],
)
def test_script_error_names_place_and_cause(printed: str, said: str) -> None:
    message = describe_script_error(Path("a.sql"), printed)

    assert said in message
    assert "+700" not in message
