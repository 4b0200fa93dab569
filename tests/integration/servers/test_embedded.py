import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.errors import ServerUnavailable, UsageError
from trueup.servers import EmbeddedServer


def value(conninfo: ConnInfo, query: str) -> object:
    connection = connect(conninfo)
    try:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None
    finally:
        connection.close()


def run(conninfo: ConnInfo, statement: str) -> None:
    connection = connect(conninfo)
    try:
        connection.execute(statement.encode())
    finally:
        connection.close()


def wait_until(is_true: Callable[[], bool], patience_s: float = 5) -> None:
    deadline = time.monotonic() + patience_s
    while not is_true():
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.01)


def test_each_version_answers_with_its_own_number(server: EmbeddedServer) -> None:
    assert value(server.conninfo(), "show server_version") == server.installation.full_version
    assert server.installation.full_version.startswith(f"{server.version}.")


def test_database_is_empty_and_separate(server: EmbeddedServer, fresh_database: ConnInfo) -> None:
    assert value(fresh_database, "select count(*) from pg_class where relnamespace = 'public'::regnamespace") == 0
    assert value(fresh_database, "select current_database()") != value(server.conninfo(), "select current_database()")


@pytest.mark.parametrize("template", ["template0", "template1", "postgres"])
def test_every_standard_database_is_whole(server: EmbeddedServer, template: str) -> None:
    created = server.create_database("made_from_template", template=template)

    try:
        assert value(created, "select count(*) from pg_proc") == value(
            server.conninfo(), "select count(*) from pg_proc"
        )
    finally:
        server.drop_database("made_from_template")


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("fsync", "off"),
        ("full_page_writes", "off"),
        ("synchronous_commit", "off"),
        ("wal_level", "minimal"),
        ("shared_buffers", "32MB"),
        ("max_connections", "150"),
        ("max_locks_per_transaction", "128"),
        ("timezone", "UTC"),
        ("server_encoding", "UTF8"),
        ("listen_addresses", ""),
    ],
)
def test_server_is_tuned_for_tests(server: EmbeddedServer, setting: str, expected: str) -> None:
    assert value(server.conninfo(), f"show {setting}") == expected


def test_letters_of_every_script_have_case(server: EmbeddedServer) -> None:
    assert value(server.conninfo(), "select upper('straße äöü жук')") in {"STRASSE ÄÖÜ ЖУК", "STRAßE ÄÖÜ ЖУК"}


def test_configuration_of_the_caller_wins(cache_folder: Path) -> None:
    with EmbeddedServer(cache_folder=cache_folder, configuration={"work_mem": "7MB", "max_wal_senders": "0"}) as server:
        assert value(server.conninfo(), "show work_mem") == "7MB"


def test_quote_in_a_setting_is_only_a_quote(cache_folder: Path) -> None:
    text = r"o'clock \ sharp"
    with EmbeddedServer(cache_folder=cache_folder, configuration={"cluster_name": text}) as server:
        assert value(server.conninfo(), "show cluster_name") == text


def test_address_is_not_the_callers_to_set(cache_folder: Path) -> None:
    with pytest.raises(UsageError, match="listen_addresses"):
        EmbeddedServer(cache_folder=cache_folder, configuration={"listen_addresses": "*"})


def test_server_that_cannot_start_shows_its_log(cache_folder: Path) -> None:
    server = EmbeddedServer(cache_folder=cache_folder, configuration={"shared_buffers": "some"})

    with pytest.raises(ServerUnavailable, match='invalid value for parameter "shared_buffers"'):
        server.__enter__()


def test_files_are_gone_afterwards(cache_folder: Path) -> None:
    with EmbeddedServer(cache_folder=cache_folder) as server:
        folder = server.data_folder.parent
        assert folder.is_dir()
        pid = server.pid

    assert not folder.exists()
    assert not Path(f"/proc/{pid}").exists()


def test_nobody_else_can_enter_the_folders(server18: EmbeddedServer) -> None:
    socket_folder = Path(server18.conninfo().parameters["host"])

    assert socket_folder.stat().st_mode & 0o077 == 0
    assert server18.data_folder.stat().st_mode & 0o077 == 0


def test_tcp_is_there_only_when_asked(cache_folder: Path, server18: EmbeddedServer) -> None:
    with EmbeddedServer(cache_folder=cache_folder, tcp=True) as server:
        assert server.conninfo().parameters["host"] == "127.0.0.1"
        assert value(server.conninfo(), "select host(inet_server_addr())") == "127.0.0.1"

    assert value(server18.conninfo(), "select inet_server_addr()") is None


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_restart_keeps_data_and_address(cache_folder: Path, mode: str) -> None:
    durable = {"synchronous_commit": "on"}
    with EmbeddedServer(cache_folder=cache_folder, tcp=True, configuration=durable) as server:
        kept = server.create_database("kept")
        run(kept, "create table t as select 7 as n")
        before = server.pid

        server.restart("immediate" if mode == "immediate" else "fast")

        assert server.pid != before
        assert value(kept, "select n from t") == 7


def test_killed_server_can_be_started_again(cache_folder: Path) -> None:
    with EmbeddedServer(cache_folder=cache_folder) as server:
        assert server.pid
        os.kill(server.pid, signal.SIGKILL)
        wait_until(lambda: server.pid is None)

        server.start()

        assert value(server.conninfo(), "select 1") == 1


def test_variables_for_other_servers_do_not_matter(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = {
        "PGHOST": "localhost",
        "PGPORT": "1",
        "PGDATABASE": "no_such_database",
        "PGUSER": "no_such_user",
        "PGDATA": "/nonexistent",
        "PGSSLMODE": "verify-full",
        "PGCHANNELBINDING": "require",
        "PGOPTIONS": "-c search_path=nowhere",
        "PGTARGETSESSIONATTRS": "standby",
        "PGCLIENTENCODING": "LATIN1",
        "PGTZ": "Asia/Tokyo",
        "LC_ALL": "tr_TR.UTF-8",
        "TZ": "Asia/Tokyo",
    }
    for name, text in hostile.items():
        monkeypatch.setenv(name, text)

    with EmbeddedServer(cache_folder=cache_folder, tcp=True) as server:
        assert value(server.conninfo(), "show search_path") == '"$user", public'


def test_dump_of_a_database_can_be_restored(server: EmbeddedServer, fresh_database: ConnInfo) -> None:
    run(fresh_database, "create table kept as select generate_series(1, 3) as n")
    dump = subprocess.run(
        [server.installation.program("pg_dump"), "--create", "--clean", "--if-exists", fresh_database.reveal()],
        capture_output=True,
        check=True,
    ).stdout

    subprocess.run(
        [server.installation.program("psql"), "-X", "-v", "ON_ERROR_STOP=1", server.conninfo().reveal()],
        input=dump,
        capture_output=True,
        check=True,
    )

    assert value(fresh_database, "select count(*) from kept") == 3
