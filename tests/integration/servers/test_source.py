from pathlib import Path
from types import MappingProxyType

import pytest

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.errors import MigrationFailed, ServerUnavailable, UsageError
from trueup.servers import EmbeddedServer, open_source
from trueup.settings import Settings

FIRST = "-- migrate:up\ncreate table client (id int primary key);\n-- migrate:down\ndrop table client;\n"
BROKEN = "-- migrate:up\nselect nonsense;\n-- migrate:down\n"


def tables(conninfo: ConnInfo) -> list[str]:
    connection = connect(conninfo)
    try:
        found = connection.execute("select tablename from pg_tables where schemaname = 'public' order by 1").fetchall()
    finally:
        connection.close()
    return [row[0] for row in found]


def version(conninfo: ConnInfo) -> int:
    connection = connect(conninfo)
    try:
        return connection.info.server_version // 10000
    finally:
        connection.close()


@pytest.fixture
def settings(cache_folder: Path, tmp_path: Path) -> Settings:
    return Settings(cache_folder=cache_folder, schema=tmp_path / "migrations")


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "20260101000000_first.sql").write_text(FIRST)
    return tmp_path / "migrations"


def script(tmp_path: Path, text: str, name: str = "shop.sql") -> str:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return str(tmp_path / name)


@pytest.mark.parametrize("major", [16, 18])
def test_file_is_built_on_the_version_that_is_asked_for(settings: Settings, tmp_path: Path, major: int) -> None:
    with open_source(script(tmp_path, "create table client ();"), settings, version=major) as conninfo:
        assert conninfo.parameters["dbname"] == "shop"
        assert tables(conninfo) == ["client"]
        assert version(conninfo) == major


def test_scratch_server_ends_with_its_source(settings: Settings, tmp_path: Path) -> None:
    with open_source(script(tmp_path, "create table client ();"), settings) as conninfo:
        folder = Path(conninfo.parameters["host"])
        assert folder.exists()

    assert not folder.exists()


def test_folder_is_migrated(settings: Settings, migrations: Path) -> None:
    with open_source(str(migrations), settings) as conninfo:
        assert conninfo.parameters["dbname"] == "migrations"
        assert tables(conninfo) == ["client", "schema_migrations"]


@pytest.mark.parametrize(("name", "major"), [("embedded", 18), ("embedded:16", 16), ("embedded:18", 18)])
def test_declared_schema_is_migrated(settings: Settings, migrations: Path, name: str, major: int) -> None:
    assert migrations.is_dir()

    with open_source(name, settings) as conninfo:
        assert tables(conninfo) == ["client", "schema_migrations"]
        assert version(conninfo) == major


def test_version_that_is_not_installed_names_those_that_are(settings: Settings, migrations: Path) -> None:
    assert migrations.is_dir()

    with (
        pytest.raises(ServerUnavailable, match=r"no embedded PostgreSQL 9: .* brings 18"),
        open_source("embedded:9", settings),
    ):
        pass


def test_variable_leads_to_a_running_server(server18: EmbeddedServer, cache_folder: Path) -> None:
    variables = MappingProxyType({"LIVE": server18.conninfo().reveal()})

    with open_source("env:LIVE", Settings(cache_folder=cache_folder, variables=variables)) as conninfo:
        assert version(conninfo) == 18


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("select 1;\n\nselect nonsense;\n", 'shop.sql:3: column "nonsense" does not exist (SQLSTATE 42703)'),
        (
            "create table t (n int);\ninsert into t values ('x700');",
            'shop.sql:2: invalid input syntax for type integer: "…"',
        ),
        ("create table t (n int primary key);\ninsert into t values (700), (700);", "shop.sql:2: duplicate key value"),
        ("create table t (n int);\ncopy t from stdin;\nx700\n\\.\n", "shop.sql:4: invalid input"),
        ("create extension hstore;", "no extensions"),
        ("create table t (); alter table t owner to salon;", "--no-owner"),
        ("\\i nowhere.sql\n", "nowhere.sql"),
        ("", "is empty"),
    ],
)
def test_broken_file_is_an_error_with_its_place(settings: Settings, tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught, open_source(script(tmp_path, text), settings):
        pass

    assert said in str(caught.value)
    assert "700" not in str(caught.value)


def test_broken_migration_is_an_error(settings: Settings, migrations: Path) -> None:
    (migrations / "20260102000000_second.sql").write_text(BROKEN)

    with pytest.raises(MigrationFailed, match="second"), open_source(str(migrations), settings):
        pass


def test_file_name_with_quotes_and_spaces_is_only_a_name(settings: Settings, tmp_path: Path) -> None:
    name = script(tmp_path, "create table client ();", name="the 'shop' \"ж\".sql")

    with open_source(name, settings) as conninfo:
        assert tables(conninfo) == ["client"]
