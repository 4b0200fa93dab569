"""The runtime over TLS: only to the server whose certificate it can verify, and with the promises it gives without."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import psycopg
import pytest
import trustme
from tests.integration.db.conftest import Observer, until
from tests.integration.db.tls import TlsFront, trust

from trueup.conninfo import ConnInfo
from trueup.db import Database
from trueup.errors import ConnectionFailed, StatementTimeout
from trueup.servers import EmbeddedServer
from trueup.settings import DatabaseSettings


@dataclass(frozen=True)
class Encrypted:
    front: TlsFront
    conninfo: ConnInfo

    def database(self, **parameters: str) -> Database:
        return Database(DatabaseSettings(conninfo=self.conninfo.with_parameters(**parameters), service="svc"))


def answer(db: Database) -> object:
    with db.connection() as connection:
        return connection.execute("select 1").fetchone()[0]  # type: ignore[index]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def encrypted(
    own_server: EmbeddedServer, target: ConnInfo, authority: trustme.CA, tmp_path: Path
) -> Iterator[Encrypted]:
    with TlsFront(own_server.port, authority, "localhost") as front:
        where = {"host": "localhost", "port": str(front.port), "sslrootcert": trust(authority, tmp_path)}
        yield Encrypted(front, target.with_parameters(**where, sslmode="verify-full"))


def test_verified_server_is_used_encrypted(encrypted: Encrypted) -> None:
    with encrypted.database() as db:
        with db.transaction() as tx:
            tx.execute("insert into t values (1, 'secret')")
        with db.connection() as connection:
            assert connection.pgconn.ssl_in_use
            assert connection.execute("select note from t").fetchall() == [("secret",)]

    assert encrypted.front.encrypted == 1


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"host": "127.0.0.1"}, "does not match host name"),
        ({"sslrootcert": "OTHER"}, "certificate verify failed"),
        ({"sslrootcert": "/nowhere/authority.pem"}, "root certificate file"),
    ],
    ids=["other_host", "other_authority", "no_authority"],
)
def test_server_that_cannot_be_verified_is_refused_at_once(
    encrypted: Encrypted, parameters: dict[str, str], reason: str, tmp_path: Path
) -> None:
    if parameters.get("sslrootcert") == "OTHER":
        (tmp_path / "other").mkdir()
        parameters = {"sslrootcert": trust(trustme.CA(), tmp_path / "other")}
    began = monotonic()

    with (
        encrypted.database(**parameters) as db,
        pytest.raises(ConnectionFailed, match=reason) as refused,
        db.connection(),
    ):
        pass

    assert monotonic() - began < 2
    assert "check sslmode" in str(refused.value)


def test_server_without_tls_is_refused_at_once(encrypted: Encrypted, own_server: EmbeddedServer) -> None:
    began = monotonic()

    with encrypted.database(port=str(own_server.port)) as db, pytest.raises(ConnectionFailed, match="SSL"):
        answer(db)

    assert monotonic() - began < 2


def test_idle_encrypted_connection_is_given_out_unasked(encrypted: Encrypted) -> None:
    """What TLS itself sends after the login, such as session tickets, doesn't make a connection look dead."""
    with encrypted.database() as db:
        for _ in range(5):
            with db.connection() as connection:
                connection.execute("select 1")

        assert connection.is_silent
        assert db.statistics().connects == 1


def test_encrypted_connection_that_was_cut_is_replaced_unseen(encrypted: Encrypted) -> None:
    with encrypted.database() as db:
        with db.connection() as connection:
            connection.execute("select 1")
        encrypted.front.cut()
        until(lambda: not connection.is_silent)

        with db.connection() as connection:
            assert connection.execute("select 1").fetchone() == (1,)


def test_caller_waits_through_an_outage_behind_tls(encrypted: Encrypted, own_server: EmbeddedServer) -> None:
    """An end in the middle of a login is no wrong certificate."""
    with encrypted.database() as db:
        own_server.stop()
        with ThreadPoolExecutor() as threads:
            caller = threads.submit(answer, db)
            until(lambda: db.statistics().connects_failed >= 2)
            own_server.start()

            assert caller.result(timeout=10) == 1


def test_statement_ends_in_time_over_tls(encrypted: Encrypted, observer: Observer) -> None:
    with encrypted.database() as db:
        transaction = db.transaction(statement_timeout_s=0.2)
        with pytest.raises(StatementTimeout), transaction:
            transaction.execute("insert into t values (1); select pg_sleep(60)")
        assert answer(db) == 1

    assert observer.value("select count(*) from t") == 0


def test_large_answers_come_through_tls_whole(encrypted: Encrypted) -> None:
    with encrypted.database() as db, db.connection() as connection:
        rows = connection.execute("select n, repeat('x', 1000) from generate_series(1, 5000) n").fetchall()

    assert len(rows) == 5000
    assert all(len(text) == 1000 for _, text in rows)
    assert isinstance(connection, psycopg.Connection)
