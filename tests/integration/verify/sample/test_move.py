"""A move that failed is never called a move."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from trueup.conninfo import ConnInfo, Secret
from trueup.db import connect
from trueup.errors import Unverifiable
from trueup.servers import EmbeddedServer
from trueup.verify.sample import move


@pytest.fixture
def source(server18: EmbeddedServer) -> Iterator[ConnInfo]:
    """Return a database with one table of two rows."""
    conninfo = server18.create_database("move_source")
    with connect(conninfo) as connection:
        connection.execute("create table public.moved (id int primary key)")
        connection.execute("insert into public.moved values (1), (2)")
    yield conninfo
    server18.drop_database("move_source")


@pytest.fixture
def target(server: EmbeddedServer) -> Iterator[ConnInfo]:
    yield server.create_database("move_target")
    server.drop_database("move_target")


@pytest.fixture
def programs(tmp_path: Path, server18: EmbeddedServer) -> Path:
    """Return a folder with the real programs, each to be replaced by `script`."""
    for name in ("pg_dump", "psql"):
        script(tmp_path, name, f'exec {server18.bin_folder / name} "$@"')
    return tmp_path


def script(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def tables(conninfo: ConnInfo) -> list[tuple[str]]:
    with connect(conninfo) as connection:
        query = "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
        return connection.execute(query).fetchall()


def test_rows_arrive(source: ConnInfo, target: ConnInfo, server18: EmbeddedServer) -> None:
    move(source, target, bin_folder=server18.bin_folder)

    with connect(target) as connection:
        assert connection.execute("select id from public.moved order by id").fetchall() == [(1,), (2,)]


def test_pg_dump_older_than_the_server_is_an_error_not_an_empty_move(
    source: ConnInfo, target: ConnInfo, server16: EmbeddedServer
) -> None:
    """I-j: pg_dump 16 refused server 18, and for weeks the backups were empty."""
    with pytest.raises(Unverifiable, match=r"pg_dump for .* ended with exit code 1: .*server version mismatch"):
        move(source, target, bin_folder=server16.bin_folder)

    assert tables(target) == []


@pytest.mark.parametrize("body", ["exit 0", "echo '-- PostgreSQL database dump'"], ids=["no byte", "no object"])
def test_empty_dump_is_an_error_though_its_exit_code_is_0(
    source: ConnInfo, target: ConnInfo, programs: Path, body: str
) -> None:
    """I-j."""
    script(programs, "pg_dump", body)

    with pytest.raises(Unverifiable, match=r"exit code 0, yet its dump .* holds no object"):
        move(source, target, bin_folder=programs)


def test_dump_that_breaks_off_leaves_nothing_behind(source: ConnInfo, target: ConnInfo, programs: Path) -> None:
    script(programs, "pg_dump", "echo 'CREATE TABLE public.half ();'; echo 'connection lost' >&2; exit 1")

    with pytest.raises(Unverifiable, match=r"pg_dump for .* ended with exit code 1: connection lost"):
        move(source, target, bin_folder=programs)

    assert tables(target) == []


def test_statement_that_fails_leaves_nothing_behind(source: ConnInfo, target: ConnInfo, programs: Path) -> None:
    script(programs, "pg_dump", "echo 'CREATE TABLE public.half ();'; echo 'select 1/0;'; echo 'select 2;'")

    with pytest.raises(Unverifiable, match=r"psql for .* ended with exit code 3: .*division by zero"):
        move(source, target, bin_folder=programs)

    assert tables(target) == []


def test_psql_that_dies_ends_the_move(source: ConnInfo, target: ConnInfo, programs: Path) -> None:
    script(programs, "psql", "echo 'no room' >&2; exit 2")
    script(programs, "pg_dump", "echo 'CREATE TABLE public.half ();'; exec yes 'select 1;'")

    with pytest.raises(Unverifiable, match=r"psql for .* ended with exit code 2: no room"):
        move(source, target, bin_folder=programs)


def test_the_users_psqlrc_and_variables_have_no_say(
    source: ConnInfo, target: ConnInfo, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c default_transaction_read_only=on")
    monkeypatch.setenv("PGDATABASE", "postgres")

    move(source, target, bin_folder=programs)

    assert tables(target) == [("moved",)]


def test_password_is_on_no_command_line(source: ConnInfo, target: ConnInfo, programs: Path) -> None:
    with_password = ConnInfo(source.parameters, {"password": Secret("s3cret")})
    script(
        programs,
        "pg_dump",
        'echo "$@" > "${0%/*}/line"; echo "$PGPASSWORD" > "${0%/*}/password"; echo s3cret >&2; exit 1',
    )

    with pytest.raises(Unverifiable, match=r"exit code 1: …$"):
        move(with_password, target, bin_folder=programs)

    assert "s3cret" not in (programs / "line").read_text()
    assert (programs / "password").read_text() == "s3cret\n"
