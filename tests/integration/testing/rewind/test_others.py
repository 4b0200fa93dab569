"""Sessions, transactions and a server that others share: what a rewind waits for, and what it says."""

import threading
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
from psycopg import sql
from tests.integration.testing.rewind.conftest import Run, content

from trueup.conninfo import ConnInfo
from trueup.db import Connection, connect
from trueup.errors import ConnectionFailed, PermissionMissing, Refused
from trueup.servers import EmbeddedServer
from trueup.settings import Settings
from trueup.testing.rewind import Baseline, NotRewound, Rewound


@pytest.fixture
def other(filled: ConnInfo) -> Iterator[Connection]:
    """Return another connection, opened before a baseline is taken."""
    with connect(filled, application_name="other") as connection:
        yield connection


def reason(outcome: Rewound | NotRewound) -> str:
    """Return why a rewind is not proven."""
    assert isinstance(outcome, NotRewound)
    assert not outcome
    return outcome.reason


def test_open_connection_is_named(filled: ConnInfo, baseline: Baseline) -> None:
    with connect(filled, application_name="tests/test_leak.py::test_it") as leak:
        said = reason(baseline.rewind())

        assert f'process {leak.info.backend_pid}, application "tests/test_leak.py::test_it", idle' in said
    assert baseline.rewind() == Rewound()


def test_tolerated_connection_may_stay_idle(filled: ConnInfo, baseline: Baseline) -> None:
    before = content(filled)
    with connect(filled) as pooled:
        pooled.execute("delete from notes")

        outcome = baseline.rewind(tolerating={pooled.info.backend_pid})

        assert outcome == Rewound(deleted=4, restored=4, tables=("public.log", "public.notes"))
        assert content(filled) == before


@pytest.mark.parametrize(
    "work",
    ["begin", "begin; select 1", "begin; delete from notes", "select pg_advisory_lock(7)", "begin; savepoint s"],
)
def test_tolerated_connection_may_not_be_at_work(filled: ConnInfo, baseline: Baseline, work: str) -> None:
    with connect(filled) as pooled:
        pooled.execute(work.encode())

        said = reason(baseline.rewind(tolerating={pooled.info.backend_pid}))

        assert "holding locks" in said


def test_temporary_table_of_a_tolerated_connection_is_answered(filled: ConnInfo, baseline: Baseline) -> None:
    with connect(filled) as pooled:
        pooled.execute("create temporary table t (n int)")

        assert "pg_temp" in reason(baseline.rewind(tolerating={pooled.info.backend_pid}))


def test_ending_session_is_waited_for(filled: ConnInfo, baseline: Baseline) -> None:
    slow = connect(filled)
    slow.execute("insert into notes values ('late')")
    closing = threading.Timer(0.1, slow.close)

    closing.start()
    outcome = baseline.rewind()
    closing.join()

    assert isinstance(outcome, Rewound)
    assert "public.notes" in outcome.tables


def test_session_that_was_there_may_stay(filled: ConnInfo, other: Connection) -> None:
    with Baseline.take(filled) as baseline:
        other.execute("update notes set body = 'x'")

        assert isinstance(baseline.rewind(), Rewound)
        other.execute("begin; select * from notes")
        assert "holding locks" in reason(baseline.rewind())


def test_baseline_of_a_database_at_work_is_refused(filled: ConnInfo, other: Connection) -> None:
    other.execute("begin; insert into notes values ('not yet')")

    with pytest.raises(Refused, match='application "other", idle in transaction, holding locks'):
        Baseline.take(filled)


def test_baseline_needs_a_superuser(filled: ConnInfo, run: Run) -> None:
    run("drop role if exists plain; create role plain login")
    try:
        with pytest.raises(PermissionMissing, match="superuser"):
            Baseline.take(filled.with_parameters(user="plain"))
    finally:
        run("drop role plain")


def test_baseline_of_no_database_is_refused(filled: ConnInfo) -> None:
    with pytest.raises(ConnectionFailed, match="check the name of the database"):
        Baseline.take(filled.with_parameters(dbname="nowhere"))


SERVER_WIDE = {
    "role": ("create role somebody", "drop role somebody", "role somebody"),
    "role_altered": (
        "alter role postgres set work_mem = '5MB'",
        "alter role postgres reset work_mem",
        "the server was changed: pg_db_role_setting",
    ),
    "role_granted": ("grant pg_monitor to postgres", "revoke pg_monitor from postgres", "pg_auth_members"),
    "setting": ("alter system set work_mem = '5MB'", "alter system reset work_mem", "configuration"),
    "comment_on_role": ("comment on role postgres is 'x'", "comment on role postgres is null", "pg_shdescription"),
}


@pytest.mark.parametrize(("change", "back", "said"), SERVER_WIDE.values(), ids=SERVER_WIDE.keys())
def test_change_of_the_server_is_answered(baseline: Baseline, run: Run, change: str, back: str, said: str) -> None:
    run(change)

    outcome = baseline.rewind()
    run(back)

    assert isinstance(outcome, NotRewound)
    assert outcome.is_server_wide
    assert said in outcome.reason


def test_reading_the_configuration_again_is_answered(filled: ConnInfo, baseline: Baseline, run: Run) -> None:
    """The server answers before it has read: a rewind in between has nothing to see yet."""
    before = configuration_read(filled)
    run("select pg_reload_conf()")
    deadline, pause = monotonic() + 10, threading.Event()
    while configuration_read(filled) == before:
        assert monotonic() < deadline
        pause.wait(0.01)

    assert "configuration was changed or read again" in reason(baseline.rewind())


def configuration_read(conninfo: ConnInfo) -> Any:
    """Return when the server, as a new connection finds it, last read its configuration."""
    with connect(conninfo) as connection:
        return connection.execute("select pg_conf_load_time()").fetchone()


def test_other_databases_are_nobodys_business(
    server: EmbeddedServer, filled: ConnInfo, baseline: Baseline, run: Run
) -> None:
    neighbour = server.create_database("rewind_neighbour", template="rewind_template")
    with connect(neighbour) as busy:
        busy.execute("comment on database rewind_neighbour is 'x'")
        busy.execute("alter database rewind_neighbour set work_mem = '3MB'")
        busy.execute("create table t (n int); begin; insert into t values (1)")

        outcome = baseline.rewind()

    server.drop_database("rewind_neighbour")
    assert outcome == Rewound()


def test_prepared_transaction_is_answered(cache_folder: object) -> None:
    settings = {"max_prepared_transactions": "4"}
    with EmbeddedServer(18, cache_folder=Settings.load().cache_folder, configuration=settings) as server:
        conninfo = server.create_database("two_phase")
        with connect(conninfo) as connection:
            connection.execute("create table t (n int)")
        with Baseline.take(conninfo) as baseline:
            with connect(conninfo) as connection:
                connection.execute("begin; insert into t values (1); prepare transaction 'p'")
            said = reason(baseline.rewind())
            with connect(conninfo) as connection:
                connection.execute("commit prepared 'p'")

            assert "prepared transaction" in said
            assert baseline.rewind() == Rewound(deleted=1, tables=("public.t",))
            with connect(conninfo) as connection:
                connection.execute("begin; insert into t values (1); prepare transaction 'p'")
            with pytest.raises(Refused, match="prepared transaction"):
                Baseline.take(conninfo)


def test_replication_slot_is_answered() -> None:
    settings = {"wal_level": "logical", "max_wal_senders": "2", "max_replication_slots": "2"}
    with EmbeddedServer(18, cache_folder=Settings.load().cache_folder, configuration=settings) as server:
        conninfo = server.create_database("slots")
        with Baseline.take(conninfo) as baseline:
            with connect(conninfo) as connection:
                connection.execute("select pg_create_physical_replication_slot('s')")

            assert "replication slot" in reason(baseline.rewind())


def test_lost_connection_is_answered(baseline: Baseline, run: Run) -> None:
    run(f"select pg_terminate_backend({baseline.pid})")

    assert "lost" in reason(baseline.rewind())
    assert "closed" in reason(baseline.rewind())


def test_closed_baseline_is_answered(baseline: Baseline) -> None:
    baseline.close()

    assert "closed" in reason(baseline.rewind())


def test_rule_against_rows_is_answered_without_their_values(filled: ConnInfo, run: Run) -> None:
    """A row that breaks a constraint which came later can't be put back."""
    run("alter table notes add constraint short check (body <> 'same') not valid")
    with Baseline.take(filled) as baseline:
        run("delete from notes")

        said = reason(baseline.rewind())

    assert said == "CheckViolation (23514) while rewinding: notes, short"


def test_search_path_of_the_database_does_not_matter(filled: ConnInfo, run: Run) -> None:
    statement = sql.SQL("alter database {} set search_path = nowhere; alter database {} set {} = on")
    name = sql.Identifier(filled.parameters["dbname"])
    setting = sql.Identifier("default_transaction_read_only")
    run("create schema shadow; create function shadow.age(xid) returns int language sql as 'select 0'")
    with connect(filled) as connection:
        connection.execute(statement.format(name, name, setting))
    with Baseline.take(filled) as baseline, connect(filled, application_name="x") as writer:
        writer.execute("set default_transaction_read_only = off")
        writer.execute("delete from public.parents")
        writer.close()

        assert isinstance(baseline.rewind(), Rewound)


def test_statistics_that_come_late_are_still_believed(filled: ConnInfo, baseline: Baseline) -> None:
    """A session that stays reports what it wrote after a while, perhaps when rows have been put back meanwhile."""
    with connect(filled) as pooled:
        pid = pooled.info.backend_pid
        pooled.execute("select pg_stat_force_next_flush()")
        pooled.execute("delete from notes")
        pooled.execute("comment on function now() is 'later'")
        first = baseline.rewind(tolerating={pid})
        pooled.execute("select pg_stat_force_next_flush()")

        second = baseline.rewind(tolerating={pid})

    assert isinstance(first, Rewound) or "built-in" in reason(first)
    assert "built-in" in reason(second)
