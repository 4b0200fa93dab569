from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from trueup.conninfo import ConnInfo
from trueup.db import connect
from trueup.db.connection import Connection
from trueup.errors import MigrationFailed, Refused
from trueup.migrations import Migrations, migrate_up
from trueup.migrations.lock import LOCK_KEY
from trueup.migrations.runner import confirm_session

Write = Callable[..., Migrations]

A = "-- migrate:up\ncreate table a (id int);\n"


def is_locked(observer: Connection) -> bool:
    query = (
        "select exists (select from pg_locks l join pg_database d on l.database = d.oid"
        " where l.locktype = 'advisory' and l.objid = %s and d.datname = current_database())"
    )
    row = observer.execute(query, [LOCK_KEY]).fetchone()
    assert row
    return bool(row[0])


def test_runners_at_once_apply_each_file_once(database: ConnInfo, observer: Connection, written: Write):
    """A waiting runner holds no snapshot that `create index concurrently` of the other would wait for."""
    slow = "-- migrate:up transaction:false\nselect pg_sleep(0.3);\ncreate index concurrently on a (id);"
    migrations = written(A, slow, "-- migrate:up\ncreate table b ();")

    def run(_: int) -> list[str]:
        with connect(database) as connection:
            return [each.version for each in migrate_up(connection, migrations, lock_timeout_s=20)]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(run, range(4)))

    assert sorted(found) == [[], [], [], ["001", "002", "003"]]
    assert not is_locked(observer)


def test_runner_gives_up_waiting_and_names_who_holds_the_lock(
    connection: Connection, observer: Connection, written: Write
):
    observer.execute("select pg_advisory_lock(%s)", [LOCK_KEY])
    began = monotonic()

    with pytest.raises(Refused, match=rf"server process {observer.info.backend_pid}, application 'observer'"):
        migrate_up(connection, written(A), lock_timeout_s=0.3)

    assert 0.3 <= monotonic() - began < 5
    assert observer.execute("select to_regclass('schema_migrations')").fetchone() == (None,)


def test_failure_lets_the_lock_go(connection: Connection, observer: Connection, written: Write):
    with pytest.raises(MigrationFailed):
        migrate_up(connection, written("-- migrate:up\nselect nope;"))

    assert not is_locked(observer)


def test_change_of_the_server_session_is_noticed(connection: Connection):
    with pytest.raises(Refused, match="pooler"):
        confirm_session(connection, connection.info.backend_pid + 1)
