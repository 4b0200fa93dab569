"""Every way back of docs/howto/rollback.md, taken for real, and how long it takes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from trueup.cli.exits import ExitCode
from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.servers import EmbeddedServer
from trueup.settings import DatabaseSettings

SALON = Path(__file__).parents[3] / "src" / "ai_admin" / "schema"
LIMIT_S = 300


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Tell how long a way back took (`pytest -s` shows it), and hold it against the limit."""
    begun = monotonic()
    yield
    taken = monotonic() - begun
    assert sys.__stderr__
    sys.__stderr__.write(f"{name}: {taken:.2f} s\n")
    assert taken < LIMIT_S


def test_error_tracking_is_switched_off_by_one_variable(trueup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTRY_DSN", "http://key@127.0.0.1:1/1")
    monkeypatch.setenv("SENTRY_ENABLED", "false")

    with timed("tracking off"):
        done = trueup("doctor")

    assert "tracking  off" in done.out


def test_size_of_the_pool_goes_back_by_one_variable(databases) -> None:
    named = {"TRUEUP_DATABASE": databases.target.reveal(), "POSTGRES_MAX_CONNECTIONS": "20"}

    with timed("pool of 20"), Database(DatabaseSettings.from_env(named)) as db:
        with db.connection() as connection:
            connection.execute("select 1")

        assert db.statistics().max_size == 20


def test_migrations_go_down_step_by_step_and_up_again(trueup, databases) -> None:
    assert trueup("migrate", "up", databases.target, "--folder", SALON).code == ExitCode.PASSED

    with timed("the last migration down"):
        assert trueup("migrate", "down", databases.target, "--folder", SALON).code == ExitCode.PASSED
    with timed("every migration down"):
        steps = len(list(SALON.glob("*.sql"))) - 1
        assert trueup("migrate", "down", databases.target, "--folder", SALON, "--steps", steps).code == ExitCode.PASSED

    assert trueup("migrate", "up", databases.target, "--folder", SALON).code == ExitCode.PASSED


def test_database_that_is_gone_is_replaced_by_the_next_host(cache_folder: Path, server18: EmbeddedServer) -> None:
    """The fallback needs no deployment: libpq tries the hosts in order."""
    with EmbeddedServer(16, cache_folder=cache_folder, tcp=True) as new:
        old, gone = server18.conninfo(), new.conninfo()
        both = ConnInfo.parse(
            f"host={gone.parameters['host']},{old.parameters['host']} port={gone.parameters['port']},"
            f"{old.parameters['port']} user=postgres dbname=postgres target_session_attrs=read-write sslmode=disable"
        )
        with Database(DatabaseSettings(conninfo=both)) as db:
            assert version(db) == 16
            new.stop()

            with timed("the next host"):
                assert version(db) == 18


def version(db: Database) -> int:
    with db.connection() as connection:
        row = connection.execute("select current_setting('server_version_num')::int / 10000").fetchone()
    assert row
    found: int = row[0]
    return found


def test_both_databases_are_compared_before_the_return(trueup, databases) -> None:
    databases.run("create table bookings (id int primary key, note text); insert into bookings values (1, 'a')")
    databases.run_on(databases.source, "insert into bookings values (2, 'while the other was away')")

    with timed("the check before the return"):
        kept = trueup("data", "diff", databases.source, databases.target)
    databases.run_on(databases.target, "insert into bookings values (2, 'while the other was away')")
    carried_over = trueup("data", "diff", databases.source, databases.target)

    assert (kept.code, carried_over.code) == (ExitCode.FAILED, ExitCode.PASSED)
