"""What became of a transaction, asked by its number: also after a crash that gives the number to another one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.integration.db.conftest import Observer

from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.db.connection import connect
from trueup.db.fate import Fate, ask, find_fate
from trueup.servers import EmbeddedServer
from trueup.testing.faults import Proxy

OpenDb = Callable[..., Database]
STARTED = "extract(epoch from pg_postmaster_start_time())::text"
NUMBER = f"select pg_current_xact_id()::text::bigint, {STARTED}"


def ask_about(db: Database, xid: int, started: Any) -> Fate | None:
    with db.connection() as connection:
        return ask(connection, xid, started)  # type: ignore[arg-type]


def test_server_tells_what_became_of_a_transaction(open_db: OpenDb, target: ConnInfo) -> None:
    db = open_db()
    with connect(target) as other:
        fates = []
        for end in ("commit", "rollback"):
            other.execute("begin")
            xid, started = other.execute(NUMBER).fetchone()  # type: ignore[misc]
            fates.append(ask_about(db, xid, started))
            other.execute(end)
            fates.append(ask_about(db, xid, started))

    assert fates == [None, Fate.COMMITTED, None, Fate.ROLLED_BACK]


def test_number_the_server_never_heard_of_was_rolled_back(open_db: OpenDb) -> None:
    db = open_db()
    with db.connection() as connection:
        started = connection.execute(f"select {STARTED}").fetchone()[0]  # type: ignore[index]

    assert ask_about(db, 10**9, started) is Fate.ROLLED_BACK


def test_number_that_a_crash_gave_to_another_transaction_is_not_mistaken(
    open_db: OpenDb, target: ConnInfo, own_server: EmbeddedServer
) -> None:
    """A number is durable only with the first record that reaches the disk, and a crash gives it out again."""
    other = connect(target)
    other.execute("checkpoint")
    other.execute("begin")
    xid, started = other.execute(NUMBER).fetchone()  # type: ignore[misc]
    own_server.restart("immediate")
    other.close()
    with connect(target) as later:
        reused: list[int] = []
        while xid not in reused and len(reused) < 100:
            reused += [number for (number,) in later.execute("select pg_current_xact_id()::text::bigint").fetchall()]
        status = later.execute("select pg_xact_status(%s::text::xid8)", [xid]).fetchone()

    assert xid in reused, "the number was given out again"
    assert status == ("committed",), "which is what the server says of it"
    assert ask_about(open_db(), xid, started) is Fate.ROLLED_BACK


def test_transaction_in_doubt_is_asked_about_before_other_callers_are_served(
    open_db: OpenDb, observer: Observer, proxy: Proxy
) -> None:
    db = open_db(proxy, max_connections=1, checkout_timeout_s=3)
    proxy.on(b"commit", "cut behind")

    def read() -> None:
        with db.connection() as connection:
            connection.execute("select pg_sleep(0.6)")

    with ThreadPoolExecutor(8) as threads:
        with db.transaction() as tx:
            tx.execute("insert into t values (1)")
            readers = [threads.submit(read) for _ in range(8)]
        for reader in readers:
            reader.exception(10)

    assert observer.rows("select id from t") == [(1,)]


def test_nobody_to_ask_is_unknown(open_db: OpenDb) -> None:
    db = open_db()
    db.close(drain_s=0)

    assert find_fate(db.pool, 3, "") is Fate.UNKNOWN
