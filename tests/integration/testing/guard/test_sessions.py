"""What only the server knows is found and ended when a database is taken back."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from trueup.conninfo import ConnInfo
from trueup.errors import Refused
from trueup.servers import EmbeddedServer
from trueup.testing.guard.gate import Owner, gate
from trueup.testing.guard.leaks.leak import Leak
from trueup.testing.guard.leaks.sessions import end_sessions
from trueup.testing.identity import mark_server


@contextmanager
def at_work() -> Iterator[Owner]:
    """Let a test of a suite answer for what is found, instead of the one that looks."""
    owner = gate.enter(Owner(node="test_of_the_suite"))
    try:
        yield owner
    finally:
        gate.leave(owner)


def test_session_is_told_with_what_it_holds_and_ended(owned: ConnInfo, witness) -> None:
    session = psycopg.connect(owned.reveal(), application_name="a worker")
    session.execute("select pg_advisory_lock(7), pg_advisory_lock(1, 2)")
    pid = session.info.backend_pid

    with at_work() as owner:
        leaks = end_sessions(owned)

    assert owner.leaks == leaks
    [leak] = leaks
    assert leak.kind == "session"
    assert 'a session "a worker"' in leak.what
    assert "idle in transaction for 0" in leak.what
    assert "holding the advisory locks 7, 4294967298" in leak.what
    assert witness(f"select pid from pg_stat_activity where pid = {pid}") == []
    session.close()


def test_temporary_files_of_a_session_are_told_and_gone(owned: ConnInfo, witness) -> None:
    session = psycopg.connect(owned.reveal(), autocommit=True, options="-c work_mem=64kB")
    session.execute("declare kept cursor with hold for select repeat('x', 99) from generate_series(1, 9999)")

    with at_work():
        [leak] = end_sessions(owned)

    assert re.search(r", with \d{6,7} bytes in temporary files", leak.what)
    assert witness("select count(*) from pg_ls_tmpdir()") == [(0,)]
    session.close()


def test_session_is_told_to_who_may_not_look_for_files(owned: ConnInfo, witness) -> None:
    with psycopg.connect(owned.reveal(), autocommit=True) as admin:
        admin.execute("create role looks login; grant pg_signal_backend to looks")
        session = psycopg.connect(owned.with_parameters(user="looks").reveal(), application_name="a worker")
        try:
            with at_work():
                [leak] = end_sessions(owned.with_parameters(user="looks"), kept=[admin.info.backend_pid])
        finally:
            session.close()
            admin.execute("drop role looks")

    assert 'a session "a worker"' in leak.what


def test_session_of_another_process_is_ended(server18, owned: ConnInfo) -> None:
    psql = [server18.installation.program("psql"), "-d", owned.reveal(), "-c", "select pg_sleep(60)"]
    process = subprocess.Popen(psql, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    with psycopg.connect(owned.reveal(), autocommit=True) as look:
        question = "select count(*) from pg_stat_activity where datname = 'owned' and state = 'active'"
        while look.execute(question).fetchone() != (2,):
            pass

    with at_work():
        leaks = end_sessions(owned)

    assert 'a session "psql"' in leaks[-1].what
    assert process.wait(10) != 0


@pytest.mark.parametrize("version", [16, 18])
def test_prepared_transaction_is_rolled_back(version: int, cache_folder: Path) -> None:
    configuration = {"max_prepared_transactions": "2"}
    with EmbeddedServer(version, cache_folder=cache_folder, configuration=configuration) as server:
        with psycopg.connect(server.conninfo().reveal()) as connection:
            mark_server(connection)
        with psycopg.connect(server.conninfo().reveal(), autocommit=True) as connection:
            connection.execute("begin; create table t (n int); prepare transaction 'it''s mine'")

        [leak] = end_prepared(server.conninfo())

        assert '"it\'s mine" was neither committed nor rolled back' in leak.what
        assert end_prepared(server.conninfo()) == []


def end_prepared(conninfo: ConnInfo) -> list[Leak]:
    """Return the prepared transactions that were found; sessions that were closed may be there for a moment."""
    with at_work():
        found = end_sessions(conninfo)
    return [leak for leak in found if leak.kind == "prepared transaction"]


def test_kept_sessions_stay(owned: ConnInfo) -> None:
    with psycopg.connect(owned.reveal()) as kept:
        assert end_sessions(owned, kept=[kept.info.backend_pid]) == []

        assert kept.execute("select 1").fetchone() == (1,)


def test_database_that_tests_do_not_own_is_left_alone(database: ConnInfo) -> None:
    with psycopg.connect(database.reveal()) as session, at_work() as owner:
        with pytest.raises(Refused):
            end_sessions(database)

        assert session.execute("select 1").fetchone() == (1,)
    assert owner.leaks == []
