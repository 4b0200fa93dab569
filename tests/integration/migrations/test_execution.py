import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from time import monotonic
from typing import LiteralString

import pytest

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.db.connection import Connection
from trueup.errors import Disconnected, MigrationFailed, Outcome, PermissionMissing, UsageError
from trueup.migrations import Migrations, migrate_down, migrate_up, status

A = "-- migrate:up\ncreate table a (id int primary key);\n-- migrate:down\ndrop table a;\n"

Write = Callable[..., Migrations]
Tables = Callable[[], set[str]]
Applied = Callable[[], list[str]]


def fails(connection: Connection, migrations: Migrations) -> str:
    with pytest.raises(MigrationFailed) as caught:
        migrate_up(connection, migrations)
    return str(caught.value)


SINGLE = "-- migrate:up transaction:false\n"


def test_block_without_a_transaction_runs_what_allows_none(connection: Connection, written: Write, applied: Applied):
    text = f"{SINGLE}create index concurrently i on a (id);\nvacuum a;\n-- migrate:down transaction:false\n"
    migrations = written(A, f"{text}drop index concurrently i;\nvacuum a;")

    migrate_up(connection, migrations)
    row = connection.execute("select indisvalid from pg_index where indexrelid = 'i'::regclass").fetchone()
    migrate_down(connection, migrations)

    assert row == (True,)
    assert applied() == ["001"]


def test_block_without_a_transaction_that_fails_says_what_stays(
    connection: Connection, written: Write, applied: Applied, tables: Tables
):
    migrations = written(A, f"{SINGLE}create table b ();\n\ncreate table a ();\ncreate table c ();\n")

    message = fails(connection, migrations)

    assert ':4: relation "a" already exists (SQLSTATE 42P07)\n  4 | create table a ();\n' in message
    assert "1 of its 3 statements were done and stay; it is not recorded as applied: " in message
    assert tables() == {"a", "b"}
    assert applied() == ["001"]


def test_statements_of_an_open_transaction_do_not_count_as_done(connection: Connection, written: Write, tables: Tables):
    migrations = written(f"{SINGLE}create table a ();\nbegin;\ncreate table b ();\nselect nope;\ncommit;")

    message = fails(connection, migrations)

    assert "001_file.sql:5: " in message
    assert "1 of its 5 statements were done and stay" in message
    assert tables() == {"a"}


def test_transaction_left_open_is_rolled_back_and_an_error(
    connection: Connection, written: Write, tables: Tables, applied: Applied
):
    migrations = written(f"{SINGLE}create table a ();\nbegin;\ncreate table b ();")

    message = fails(connection, migrations)

    assert "leaves a transaction open" in message
    assert "1 of its 3 statements were done and stay" in message
    assert tables() == {"a"}
    assert applied() == []


def test_block_is_sent_as_it_stands(connection: Connection, written: Write):
    body = "begin\r\n  return '100%s %(x)s é';\r\nend"
    migrations = written(f"-- migrate:up\r\ncreate function f() returns text language plpgsql as $$ {body} $$;\r\n")

    migrate_up(connection, migrations)

    assert connection.execute("select prosrc from pg_proc where proname = 'f'").fetchone() == (f" {body} ",)


def test_empty_block_is_recorded(connection: Connection, written: Write, applied: Applied):
    migrate_up(connection, written("-- migrate:up\n-- nothing\n", SINGLE))

    assert applied() == ["001", "002"]


@pytest.mark.parametrize("directive", ["-- migrate:up\n", SINGLE], ids=["transaction", "single"])
def test_settings_of_one_file_do_not_reach_the_next(
    connection: Connection, observer: Connection, written: Write, directive: str
):
    leaks = "create schema other; set search_path = other; set role pg_monitor; set statement_timeout = 1;"
    migrations = written(f"{directive}{leaks}", "-- migrate:up\nselect pg_sleep(0.1);\ncreate table a ();")

    migrate_up(connection, migrations)

    row = observer.execute(
        "select relnamespace::regnamespace::text, relowner::regrole::text from pg_class where relname = 'a'"
    )
    assert row.fetchone() == ("public", "postgres")
    assert connection.execute("show search_path").fetchone() == ('"$user", public',)


@pytest.mark.parametrize("leak", ["set role", "set session authorization"])
def test_role_of_one_file_does_not_reach_the_next(
    database: ConnInfo, stranger: Connection, observer: Connection, written: Write, leak: str
):
    owner = stranger.info.user
    observer.execute(f"grant create on schema public to {owner}")
    migrations = written(f"-- migrate:up\n{leak} pg_monitor;", "-- migrate:up\ncreate table a ();")

    with connect(database.with_parameters(options=f"-c role={owner}")) as connection:
        migrate_up(connection, migrations)
        now = connection.execute("select session_user::text, current_user::text").fetchone()

    row = observer.execute("select relowner::regrole::text from pg_class where relname = 'a'").fetchone()
    assert row == (owner,)
    assert now == ("postgres", owner)


def test_files_are_utf_8_whatever_the_client_s_encoding(database: ConnInfo, observer: Connection, written: Write):
    migrations = written("-- migrate:up\ncreate table a ();", "-- migrate:up\ncomment on table a is '€é';")

    with connect(database.with_parameters(client_encoding="LATIN1")) as connection:
        migrate_up(connection, migrations)

    assert observer.execute("select obj_description('a'::regclass)").fetchone() == ("€é",)


def test_record_stays_where_it_was_when_a_file_changes_what_its_name_means(
    connection: Connection, written: Write, applied: Applied
):
    migrations = written("-- migrate:up\ncreate schema postgres create table schema_migrations (version varchar);")

    migrate_up(connection, migrations)

    row = connection.execute("select count(*) from public.schema_migrations").fetchone()
    assert row == (1,)


DEFERRED = (
    "-- migrate:up\n"
    "create table a (id int primary key deferrable initially deferred);\n"
    "insert into a values (700), (700);\n"
)


def test_constraint_that_fails_at_commit_leaves_nothing(connection: Connection, written: Write, tables: Tables):
    message = fails(connection, written(DEFERRED))

    assert re.search(r"001_file\.sql: its SQL ran, but could not be committed and recorded: duplicate key", message)
    assert "700" not in message
    assert tables() == set()


def test_what_another_runner_recorded_meanwhile_is_not_kept_twice(
    connection: Connection, written: Write, tables: Tables, applied: Applied
):
    text = "create table b ();\ninsert into schema_migrations values ('001');"

    message = fails(connection, written(f"-- migrate:up\n{text}"))

    assert "could not be committed and recorded: duplicate key" in message
    assert tables() == set()
    assert applied() == []


def test_record_that_fails_after_single_statements_says_that_they_stay(
    connection: Connection, written: Write, tables: Tables
):
    message = fails(connection, written(f"{SINGLE}create table b ();\ndrop table schema_migrations;"))

    assert "its SQL ran and stays, but could not be recorded" in message
    assert tables() == {"b"}


@pytest.fixture
def runner() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def await_session(observer: Connection, condition: LiteralString) -> int:
    """Return the process id of a session of this database once one is in `condition`."""
    deadline = monotonic() + 20
    query = "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and "
    while not (row := observer.execute(query + condition).fetchone()):
        assert monotonic() < deadline, "never came to it"
        Event().wait(0.01)
    return int(row[0])


def kill_when(observer: Connection, condition: LiteralString) -> None:
    observer.execute("select pg_terminate_backend(%s)", [await_session(observer, condition)])


def killed(running: Future[object]) -> Disconnected:
    with pytest.raises(Disconnected) as caught:
        running.result(timeout=30)
    return caught.value


SLEEPS = "wait_event = 'PgSleep'"


def test_kill_in_the_middle_leaves_nothing_of_the_file(
    runner: ThreadPoolExecutor,
    database: ConnInfo,
    connection: Connection,
    observer: Connection,
    written: Write,
    tables: Tables,
    applied: Applied,
):
    migrations = written(A, "-- migrate:up\ncreate table b ();\nselect pg_sleep(30);")

    running = runner.submit(migrate_up, connection, migrations)
    kill_when(observer, SLEEPS)
    error = killed(running)

    assert "002_file.sql" in str(error)
    assert "nothing of this file was kept" in str(error)
    assert error.outcome is Outcome.ROLLED_BACK
    assert tables() == {"a"}
    assert applied() == ["001"]
    with connect(database) as again:
        assert [each.version for each in migrate_up(again, written(A, "-- migrate:up\ncreate table b ();"))] == ["002"]


def test_kill_during_commit_is_reported_as_unknown(
    runner: ThreadPoolExecutor, connection: Connection, observer: Connection, written: Write, tables: Tables
):
    migrations = written(
        "-- migrate:up\n"
        "create table a ();\n"
        "create function wait() returns trigger language plpgsql as $$\n"
        "begin perform pg_sleep(30); return null; end $$;\n"
        "create constraint trigger t after insert on a deferrable initially deferred\n"
        "for each row execute function wait();\n"
        "insert into a default values;"
    )

    running = runner.submit(migrate_up, connection, migrations)
    kill_when(observer, SLEEPS)
    error = killed(running)

    assert "not known" in str(error)
    assert error.outcome is Outcome.UNKNOWN
    assert tables() == set()


def test_kill_between_single_statements_says_what_stays(
    runner: ThreadPoolExecutor,
    connection: Connection,
    observer: Connection,
    written: Write,
    tables: Tables,
    applied: Applied,
):
    migrations = written(f"{SINGLE}create table a ();\nselect pg_sleep(30);\ncreate table b ();")

    running = runner.submit(migrate_up, connection, migrations)
    kill_when(observer, SLEEPS)
    error = killed(running)

    assert "1 of its 3 statements were done and stay" in str(error)
    assert tables() == {"a"}
    assert applied() == []


INTERRUPTED = """
import sys
from pathlib import Path
from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.migrations import migrate_up, read_migrations
migrate_up(connect(ConnInfo.parse(sys.argv[1])), read_migrations(Path(sys.argv[2])))
"""


def test_interrupt_ends_the_statement_and_leaves_nothing_of_the_file(
    database: ConnInfo, observer: Connection, written: Write, tables: Tables, applied: Applied
):
    migrations = written(A, "-- migrate:up\ncreate table b ();\nselect pg_sleep(30);")
    command = [sys.executable, "-c", INTERRUPTED, database.reveal(), str(migrations.folder)]

    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        await_session(observer, SLEEPS)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=10)

    assert "KeyboardInterrupt" in said
    assert tables() == {"a"}
    assert applied() == ["001"]
    assert observer.execute("select count(*) from pg_stat_activity where wait_event = 'PgSleep'").fetchone() == (0,)


@pytest.fixture
def stranger(database: ConnInfo, observer: Connection) -> Iterator[Connection]:
    """Connect as a role that may nothing."""
    name = f"stranger_{database.parameters['dbname']}"
    observer.execute(f"create role {name} login")
    with connect(database.with_parameters(user=name)) as opened:
        yield opened
    observer.execute(f"drop owned by {name}")
    observer.execute(f"drop role {name}")


def test_role_that_may_not_record_is_told_before_anything_runs(stranger: Connection, written: Write, tables: Tables):
    with pytest.raises(PermissionMissing, match=r"recorded in public\.schema_migrations; run them as a role"):
        migrate_up(stranger, written(A))

    assert tables() == set()


def test_role_that_may_not_read_the_record_is_told_what_to_grant(
    connection: Connection, stranger: Connection, written: Write
):
    migrations = written(A)
    migrate_up(connection, migrations)

    with pytest.raises(PermissionMissing, match=r"grant SELECT on public\.schema_migrations"):
        status(stranger, migrations)


def test_missing_schema_is_a_usage_error(connection: Connection, written: Write):
    connection.execute("drop schema public cascade")

    with pytest.raises(UsageError, match="no schema public"):
        migrate_up(connection, written(A))


def test_lost_connection_has_its_name(connection: Connection, observer: Connection, written: Write):
    observer.execute("select pg_terminate_backend(%s)", [connection.info.backend_pid])

    with pytest.raises(Disconnected):
        status(connection, written(A))
